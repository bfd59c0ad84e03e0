/** Bytes an upstream may answer with, and what a client gets of them. */
export type RawAnswer = {
  readonly name: string;
  /** Latin1. */
  readonly bytes: string;
  /** Ends its connection behind the bytes. */
  readonly ends?: boolean;
  /** The status of the answer, and its body; `cut` when the connection of the client ends inside the answer. */
  readonly client: { readonly status: number; readonly body?: string } | 'cut';
};

const ok = (headers: string, body = '') => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

const broken = (name: string, bytes: string): RawAnswer => ({ name, bytes, client: { status: 502 } });
const whole = (name: string, bytes: string, body: string, status = 200): RawAnswer => ({
  name,
  bytes,
  client: { status, body },
});

export const RAW_ANSWERS: readonly RawAnswer[] = [
  broken('CL and TE', ok(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n')),
  broken('two lengths', ok('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab')),
  broken('two equal lengths', ok('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab')),
  broken('a list of lengths', ok('Content-Length: 2, 2\r\n', 'ab')),
  broken('a length with a sign', ok('Content-Length: +2\r\n', 'ab')),
  broken('a length in hex', ok('Content-Length: 0x2\r\n', 'ab')),
  broken('a length above 2^64', ok('Content-Length: 18446744073709551618\r\n', 'ab')),
  broken('a space before the colon', ok('Content-Length : 2\r\n', 'ab')),
  broken('no name', ok(': 2\r\nContent-Length: 2\r\n', 'ab')),
  broken('an invalid name', ok('X A: 2\r\nContent-Length: 2\r\n', 'ab')),
  broken('a NUL in a value', ok('X-A: 1\x002\r\nContent-Length: 2\r\n', 'ab')),
  broken('a bare CR in a value', ok('X-A: 1\rSet-Cookie: a=b\r\nContent-Length: 2\r\n', 'ab')),
  broken('a bare LF behind a header', ok('X-A: 1\nContent-Length: 2\r\n', 'ab')),
  broken('a bare LF at the end of the head', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nab'),
  broken('a folded value', ok('X-A: 1\r\n 2\r\nContent-Length: 2\r\n', 'ab')),
  broken('a version nobody speaks', 'HTTP/3.7 200 OK\r\nContent-Length: 2\r\n\r\nab'),
  broken('no status', 'HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nab'),
  broken('a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nab'),
  broken('a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nab'),
  broken('another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'),
  broken('HTTP/0.9', '<html>hello</html>'),
  broken(
    'an upgrade nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nx',
  ),
  { name: 'a bad chunk', bytes: ok(CHUNKED, '2\r\nab\r\nxyz\r\n'), client: 'cut' },
  { name: 'a chunk with a sign', bytes: ok(CHUNKED, '2\r\nab\r\n+2\r\ncd\r\n0\r\n\r\n'), client: 'cut' },
  { name: 'a chunk that is too long', bytes: ok(CHUNKED, '2\r\nabc\r\n0\r\n\r\n'), client: 'cut' },
  { name: 'an end before the length', bytes: ok('Content-Length: 5\r\n', 'ab'), ends: true, client: 'cut' },
  { name: 'an end before the last chunk', bytes: ok(CHUNKED, '2\r\nab\r\n'), ends: true, client: 'cut' },
  { name: 'a body until the end', bytes: ok('', 'ab'), ends: true, client: { status: 200, body: 'ab' } },
  whole('a whole answer', ok('Content-Length: 2\r\n', 'ab'), 'ab'),
  whole('bytes behind the answer', ok('Content-Length: 2\r\n', `ab${POISON}`), 'ab'),
  whole('bytes behind the last chunk', ok(CHUNKED, `2\r\nab\r\n0\r\n\r\n${POISON}`), 'ab'),
  whole(
    'a 204 with a body',
    `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    '',
    204,
  ),
  whole('a 204 in chunks', `HTTP/1.1 204 No Content\r\n${CHUNKED}\r\n6\r\npoison\r\n0\r\n\r\n`, '', 204),
  whole(
    'a 304 with a body',
    `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    '',
    304,
  ),
  whole(
    'a thousand 1xx',
    `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000)}${ok('Content-Length: 2\r\n', 'ab')}`,
    'ab',
  ),
  // RFC 9110, 15.2 would have it dropped; both lanes take it for an error, and nobody gets what is not theirs.
  broken('a 100 nobody waits for', `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 2\r\n', 'ab')}`),
  // RFC 9112, 7: whoever does not know a coding cannot tell what the body is; as a body in chunks it would be another one.
  broken(
    'a transfer coding besides chunks',
    ok('Transfer-Encoding: gzip, chunked\r\n', '2\r\nab\r\n0\r\n\r\n'),
  ),
];
