// One file, although long: a table of byte sequences is read best at a glance.

/**
 * Bytes a client may send, and all that may come of them. Every lane of the proxy is held to this table: what an upstream gets is
 * never more, fewer or other requests than those named here.
 */
export type RawCase = {
  readonly name: string;
  /** Latin1. */
  readonly bytes: string;
  /** `METHOD target body` of each request an upstream may see, in order. */
  readonly upstream: readonly string[];
  /** The status of each answer the client gets, in order. */
  readonly statuses: readonly number[];
};

const H = 'Host: shop.test\r\n';
const post = (headers: string, body = '') => `POST /a HTTP/1.1\r\n${H}${headers}\r\n${body}`;
const get = (headers = '', target = '/a') => `GET ${target} HTTP/1.1\r\n${H}${headers}\r\n`;
const SECOND = get('', '/smuggled');

const refused = (name: string, bytes: string, status = 400): RawCase => ({
  name,
  bytes,
  upstream: [],
  statuses: [status],
});
const passed = (name: string, bytes: string, ...upstream: readonly string[]): RawCase => ({
  name,
  bytes,
  upstream,
  statuses: upstream.map(() => 200),
});
/** The first is served; what follows it has no second meaning and is refused. */
const cut = (name: string, bytes: string, ...upstream: readonly string[]): RawCase => ({
  name,
  bytes,
  upstream,
  statuses: [...upstream.map(() => 200), 400],
});

const CHUNKED = 'Transfer-Encoding: chunked\r\n';

const framing: readonly RawCase[] = [
  refused('CL.TE', post(`Content-Length: 6\r\n${CHUNKED}`, '0\r\n\r\nG')),
  refused('TE.CL', post(`${CHUNKED}Content-Length: 4\r\n`, `5c\r\n${SECOND}\r\n0\r\n\r\n`)),
  refused('CL and TE that agree', post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n')),
  refused('two equal lengths', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab')),
  refused('two lengths', post('Content-Length: 2\r\nContent-Length: 1\r\n', 'ab')),
  refused('two lengths, the first 0', post('Content-Length: 0\r\nContent-Length: 40\r\n', SECOND)),
  refused('a list of equal lengths', post('Content-Length: 2, 2\r\n', 'ab')),
  refused('a list of lengths', post('Content-Length: 2, 1\r\n', 'ab')),
  refused('a length with a plus', post('Content-Length: +2\r\n', 'ab')),
  refused('a length with a minus', post('Content-Length: -2\r\n', 'ab')),
  refused('a length with a space inside', post('Content-Length: 1 2\r\n', 'ab')),
  refused('a length in hex', post('Content-Length: 0x2\r\n', 'ab')),
  refused('a length with a point', post('Content-Length: 2.0\r\n', 'ab')),
  refused('a length with an exponent', post('Content-Length: 2e0\r\n', 'ab')),
  refused('a length with an underscore', post('Content-Length: 1_0\r\n', 'ab')),
  refused('an empty length', post('Content-Length:\r\n', 'ab')),
  refused('a quoted length', post('Content-Length: "2"\r\n', 'ab')),
  refused('a length of Arabic digits', post('Content-Length: \xd9\xa2\r\n', 'ab')),
  refused('a length above 2^64', post('Content-Length: 18446744073709551618\r\n', 'ab')),
  refused('a length with a NUL', post('Content-Length: 2\0\r\n', 'ab')),
  refused('a length with a form feed', post('Content-Length: 2\f\r\n', 'ab')),
  refused('a length with a vertical tab', post('Content-Length: \v2\r\n', 'ab')),
  passed('a length with zeros in front', post('Content-Length: 002\r\n', 'ab'), 'POST /a ab'),
  passed('a length with space around', post('Content-Length: \t 2 \t\r\n', 'ab'), 'POST /a ab'),
  cut('a length of 0 and a rest', post('Content-Length: 0\r\n', 'XYZ\r\n\r\n'), 'POST /a '),
  passed(
    'a length of 0 and another request',
    post('Content-Length: 0\r\n', SECOND),
    'POST /a ',
    'GET /smuggled ',
  ),
  passed(
    'a GET with a length',
    `GET /a HTTP/1.1\r\n${H}Content-Length: 44\r\n\r\n${SECOND.padEnd(44)}`,
    `GET /a ${SECOND.padEnd(44)}`,
  ),
  passed('a GET in chunks', `GET /a HTTP/1.1\r\n${H}${CHUNKED}\r\n3\r\nabc\r\n0\r\n\r\n`, 'GET /a abc'),
  passed('a HEAD with a body', `HEAD /a HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabc`, 'HEAD /a abc'),
  passed('a DELETE with a body', `DELETE /a HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabc`, 'DELETE /a abc'),
  passed(
    'an OPTIONS with a body',
    `OPTIONS /a HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabc`,
    'OPTIONS /a abc',
  ),
  passed('a POST without a length', post(''), 'POST /a '),
  passed('a POST without a length, and another request', post('', SECOND), 'POST /a ', 'GET /smuggled '),
];

const codings: readonly RawCase[] = [
  ['xchunked', 'xchunked'],
  ['chunkedx', 'chunkedx'],
  ['identity', 'identity'],
  ['chunked, identity', 'chunked, identity'],
  ['identity, chunked', 'identity, chunked'],
  ['gzip, chunked', 'gzip, chunked'],
  ['chunked twice', 'chunked, chunked'],
  ['a parameter', 'chunked;q=1'],
  ['quotes', '"chunked"'],
  ['a comma in front', ', chunked'],
  ['a comma behind', 'chunked,'],
  ['a vertical tab in front', '\vchunked'],
  ['a vertical tab behind', 'chunked\v'],
  ['a form feed', '\fchunked'],
  ['a NUL', 'chunked\0'],
  ['a space inside', 'chun ked'],
  ['a line break inside', 'chun\r\n ked'],
  ['a line break in front', '\r\n chunked'],
  ['a bare CR', 'chunked\rx'],
  ['a no-break space', '\xa0chunked'],
  ['nothing', ''],
].map(([name, value]) =>
  refused(`transfer coding with ${name}`, post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n')),
);

const codingNames: readonly RawCase[] = [
  refused('two transfer codings', post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n')),
  refused(
    'two transfer codings, the last unknown',
    post(`${CHUNKED}Transfer-Encoding: cow\r\n`, '0\r\n\r\n'),
  ),
  refused(
    'two transfer codings, the first unknown',
    post(`Transfer-Encoding: cow\r\n${CHUNKED}`, '0\r\n\r\n'),
  ),
  refused('a space before the colon of a coding', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')),
  refused('a tab before the colon of a coding', post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n')),
  refused('a space before a coding', post(' Transfer-Encoding: chunked\r\n', '0\r\n\r\n')),
  refused('a coding in HTTP/1.0', `POST /a HTTP/1.0\r\n${H}${CHUNKED}\r\n0\r\n\r\n`),
  refused(
    'a coding in HTTP/1.0 that is kept alive',
    `POST /a HTTP/1.0\r\n${H}Connection: keep-alive\r\n${CHUNKED}\r\n0\r\n\r\n${SECOND}`,
  ),
  passed(
    'a coding in capitals',
    post('TRANSFER-ENCODING: CHUNKED\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'POST /a abc',
  ),
  passed(
    'a coding after a tab',
    post('Transfer-Encoding:\tchunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'POST /a abc',
  ),
  passed(
    'a coding without a space',
    post('Transfer-Encoding:chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'POST /a abc',
  ),
  passed(
    'a name that is not the coding',
    post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'POST /a 0\r\n\r\n',
  ),
  passed(
    'a length that Connection names',
    post('Connection: content-length\r\nContent-Length: 3\r\n', 'abc'),
    'POST /a abc',
  ),
  passed(
    'a coding that Connection names',
    post(`Connection: transfer-encoding\r\n${CHUNKED}`, '3\r\nabc\r\n0\r\n\r\n'),
    'POST /a abc',
  ),
  passed('a host that Connection names', get('Connection: host\r\n'), 'GET /a '),
];

const chunks: readonly RawCase[] = [
  ...[
    ['a sign', '+3\r\nabc\r\n0\r\n\r\n'],
    ['a minus', '-3\r\nabc\r\n0\r\n\r\n'],
    ['0x', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['no digit', '\r\nabc\r\n0\r\n\r\n'],
    ['no hex digit', 'g\r\nabc\r\n0\r\n\r\n'],
    ['an underscore', '0_3\r\nabc\r\n0\r\n\r\n'],
    ['a space in front', ' 3\r\nabc\r\n0\r\n\r\n'],
    ['a space behind', '3 \r\nabc\r\n0\r\n\r\n'],
    ['a tab behind', '3\t\r\nabc\r\n0\r\n\r\n'],
    ['more than 2^64', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['a bare LF behind the size', '3\nabc\r\n0\r\n\r\n'],
    ['a bare CR behind the size', '3\rabc\r\n0\r\n\r\n'],
    ['a bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
    ['a bare CR behind the data', '3\r\nabc\r0\r\n\r\n'],
    ['data that is too long', '3\r\nabcd\r\n0\r\n\r\n'],
    ['two bytes in place of the line break', '3\r\nabcXX0\r\n\r\n'],
    ['a bare LF in an extension', `3;a\nxx\r\nabc\r\n0\r\n\r\n`],
    ['a bare CR in an extension', `3;a\rxx\r\nabc\r\n0\r\n\r\n`],
    ['a bare LF behind an extension', '3;a=b\nabc\r\n0\r\n\r\n'],
    ['a NUL in an extension', '3;a=\0\r\nabc\r\n0\r\n\r\n'],
    ['a bare LF at the last chunk', '3\r\nabc\r\n0\n\r\n'],
    ['a bare LF at the very end', '3\r\nabc\r\n0\r\n\n'],
    ['an extension that hides a request', `2;\nxx\r\n4c\r\n0\r\n\r\n${SECOND}\r\n0\r\n\r\n`],
    ['a trailer with a space before the colon', '3\r\nabc\r\n0\r\nX-A : 1\r\n\r\n'],
    ['a trailer with a bare LF', '3\r\nabc\r\n0\r\nX-A: 1\n\r\n'],
    ['a trailer that is folded', '3\r\nabc\r\n0\r\nX-A: 1\r\n 2\r\n\r\n'],
    ['a trailer without a name', '3\r\nabc\r\n0\r\n: 1\r\n\r\n'],
  ].map(([name, body]) => refused(`a chunk with ${name}`, post(CHUNKED, body))),
  passed('chunks in capital hex', post(CHUNKED, 'A\r\n0123456789\r\n0\r\n\r\n'), 'POST /a 0123456789'),
  passed('chunks with zeros in front', post(CHUNKED, '0003\r\nabc\r\n000\r\n\r\n'), 'POST /a abc'),
  passed('chunks with extensions', post(CHUNKED, '3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n'), 'POST /a abc'),
  passed(
    'chunks with a trailer that would frame',
    post(CHUNKED, '3\r\nabc\r\n0\r\nX-A: 1\r\n\r\n'),
    'POST /a abc',
  ),
  passed(
    'chunks and another request',
    post(CHUNKED, `3\r\nabc\r\n0\r\n\r\n${SECOND}`),
    'POST /a abc',
    'GET /smuggled ',
  ),
  cut('chunks and a rest', post(CHUNKED, '0\r\n\r\nXYZ\r\n\r\n'), 'POST /a '),
];

const heads: readonly RawCase[] = [
  refused('bare LF everywhere', `GET /a HTTP/1.1\nHost: shop.test\n\n`),
  refused('a bare LF behind the request line', `GET /a HTTP/1.1\nHost: shop.test\r\n\r\n`),
  refused('a bare LF behind a header', `GET /a HTTP/1.1\r\nX-A: 1\nHost: shop.test\r\n\r\n`),
  refused('a bare LF at the end of the head', `GET /a HTTP/1.1\r\nHost: shop.test\r\n\n`),
  refused('a bare CR behind the request line', `GET /a HTTP/1.1\rHost: shop.test\r\n\r\n`),
  refused('a bare CR in a value', get('X-A: 1\rX-B: 2\r\n')),
  refused('a bare CR at the start of a line', get('\rX-A: 1\r\n')),
  refused('a bare CR before the line break', get('X-A: 1\r\r\n')),
  refused('a folded value', get('X-A: 1\r\n 2\r\n')),
  refused('a value folded by a tab', get('X-A: 1\r\n\t2\r\n')),
  refused('a folded host', `GET /a HTTP/1.1\r\nHost:\r\n shop.test\r\n\r\n`),
  refused('a space before the first header', `GET /a HTTP/1.1\r\n ${H}\r\n`),
  refused('a NUL in a value', get('X-A: 1\x002\r\n')),
  refused('a NUL in a name', get('X-\0A: 1\r\n')),
  refused('a control character in a value', get('X-A: 1\x012\r\n')),
  refused('a DEL in a value', get('X-A: 1\x7f2\r\n')),
  refused('a space before the colon', get('X-A : 1\r\n')),
  refused('a space before the colon of a length', post('Content-Length : 2\r\n', 'ab')),
  refused('no name', get(': 1\r\n')),
  refused('no colon', get('X-A\r\n')),
  ...'()<>@,;\\"/[]?={} \t\xe9\x7f'
    .split('')
    .map((char) => refused(`${JSON.stringify(char)} in a name`, get(`X${char}A: 1\r\n`))),
  passed('every mark a name may have', get("!#$%&'*+-.^_`|~09Az: 1\r\n"), 'GET /a '),
  passed('an empty value', get('X-A:\r\n'), 'GET /a '),
  passed('bytes above ASCII in a value', get('X-A: \xe9\xff\r\n'), 'GET /a '),
  passed('empty lines before a request', `\r\n${get()}`, 'GET /a '),
  passed('two requests at once', get('', '/1') + get('', '/2'), 'GET /1 ', 'GET /2 '),
  cut('a request and a rest', `${get()}rest\r\n\r\n`, 'GET /a '),
  cut('a request and TLS', `${get()}\x16\x03\x01\x00\xa5\x01\x00`, 'GET /a '),
];

const lines: readonly RawCase[] = [
  refused('HTTP/0.9', 'GET /a\r\n\r\n'),
  refused('HTTP/0.9 by name', 'GET /a HTTP/0.9\r\n\r\n'),
  refused('HTTP/1.2', `GET /a HTTP/1.2\r\n${H}\r\n`),
  refused('HTTP/2.0', `GET /a HTTP/2.0\r\n${H}\r\n`),
  refused(
    'HTTP/2.0 that offers an upgrade',
    `GET /a HTTP/2.0\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  refused('HTTP/1', `GET /a HTTP/1\r\n${H}\r\n`),
  refused('HTTP/1.01', `GET /a HTTP/1.01\r\n${H}\r\n`),
  refused('HTTP in lower case', `GET /a http/1.1\r\n${H}\r\n`),
  // Node's parser reads these three as the plain request they can only be (RFC 9112, 3: words apart by any whitespace).
  passed('RTSP', `GET /a RTSP/1.0\r\n${H}\r\n`, 'GET /a '),
  passed('two spaces', `GET  /a HTTP/1.1\r\n${H}\r\n`, 'GET /a '),
  passed('two spaces before the version', `GET /a  HTTP/1.1\r\n${H}\r\n`, 'GET /a '),
  refused('a tab for a space', `GET\t/a HTTP/1.1\r\n${H}\r\n`),
  refused('a tab before the version', `GET /a\tHTTP/1.1\r\n${H}\r\n`),
  refused('a space behind the version', `GET /a HTTP/1.1 \r\n${H}\r\n`),
  refused('a space in the target', `GET /a b HTTP/1.1\r\n${H}\r\n`),
  refused('two requests in one line', `GET /a HTTP/1.1 GET /b HTTP/1.1\r\n${H}\r\n`),
  refused('a NUL in the target', `GET /a\0 HTTP/1.1\r\n${H}\r\n`),
  refused('a CR in the target', `GET /a\rb HTTP/1.1\r\n${H}\r\n`),
  refused('an LF in the target', `GET /a\nb HTTP/1.1\r\n${H}\r\n`),
  refused('a form feed in the target', `GET /a\fb HTTP/1.1\r\n${H}\r\n`),
  refused('no target', `GET  HTTP/1.1\r\n${H}\r\n`),
  refused('a target without a slash', `GET a HTTP/1.1\r\n${H}\r\n`),
  refused('a method in lower case', `get /a HTTP/1.1\r\n${H}\r\n`),
  refused('an unknown method', `SMUGGLE /a HTTP/1.1\r\n${H}\r\n`),
  refused('a method with a colon', `GET: /a HTTP/1.1\r\n${H}\r\n`),
  refused('a space before the method', ` GET /a HTTP/1.1\r\n${H}\r\n`),
  refused('an answer in place of a request', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
  refused('the whole server', `OPTIONS * HTTP/1.1\r\n${H}\r\n`),
  refused('CONNECT', `CONNECT other.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n`),
  passed('a method in a header', get('X-HTTP-Method-Override: POST\r\nX-Method: DELETE\r\n'), 'GET /a '),
];

const hosts: readonly RawCase[] = [
  refused('no host', 'GET /a HTTP/1.1\r\n\r\n'),
  refused('two hosts', `GET /a HTTP/1.1\r\n${H}Host: other.test\r\n\r\n`),
  refused('two equal hosts', `GET /a HTTP/1.1\r\n${H}${H}\r\n`),
  refused('a space before the colon of a host', 'GET /a HTTP/1.1\r\nHost : shop.test\r\n\r\n'),
  ...[
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'a@b',
    'a\\b',
    'a"b',
    'a<b',
    'a:b',
    'a:80:90',
    'a:+80',
    '[::1',
    '\xe9',
    'a|b',
  ].map((host) => refused(`the host ${JSON.stringify(host)}`, `GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\n`)),
  refused('a URL with a user', `GET http://user@shop.test/a HTTP/1.1\r\n${H}\r\n`),
  refused('a URL with a bad host', `GET http://sh"op/a HTTP/1.1\r\n${H}\r\n`),
  refused('a URL with a backslash for its slash', `GET http://shop.test\\@other.test/a HTTP/1.1\r\n${H}\r\n`),
  refused('a URL without a host', `GET http:///a HTTP/1.1\r\n${H}\r\n`),
  refused('a URL of another scheme', `GET ftp://shop.test/a HTTP/1.1\r\n${H}\r\n`),
  passed('a URL with another host', `GET http://other.test/a HTTP/1.1\r\n${H}\r\n`, 'GET /a '),
  passed('a host with a port', 'GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', 'GET /a '),
];

const upgrades: readonly RawCase[] = [
  // The connection ends with the first answer: what came behind an offer to upgrade is nobody's request.
  passed(
    'h2c with a request behind it',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n') +
      SECOND,
    'GET /a ',
  ),
  passed('an upgrade to anything', get('Connection: Upgrade\r\nUpgrade: foo\r\n'), 'GET /a '),
  passed('an upgrade that Connection does not name', get('Upgrade: h2c\r\n'), 'GET /a '),
  passed(
    'a POST that asks for h2c',
    post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n', 'abc'),
    'POST /a abc',
  ),
  passed('an Expect and a body', post('Expect: 100-continue\r\nContent-Length: 3\r\n', 'abc'), 'POST /a abc'),
];

export const RAW_REQUESTS: readonly RawCase[] = [
  ...framing,
  ...codings,
  ...codingNames,
  ...chunks,
  ...heads,
  ...lines,
  ...hosts,
  ...upgrades,
];
