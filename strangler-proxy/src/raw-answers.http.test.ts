import { afterEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { createRig, eventually, parse, rawExchange } from './proxy.fixture.js';
import { RAW_ANSWERS } from './raw-answers.fixture.js';
import { recordingUpstream } from './recording-upstream.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const SILENCE_MS = 60;
const get = (target: string, connection = 'close') =>
  `GET ${target} HTTP/1.1\r\nHost: shop.test\r\nConnection: ${connection}\r\n\r\n`;

/** An upstream that answers "/raw" with these bytes and everything else with its own request line. */
async function answering(bytes: string, ends = false) {
  const upstream = await recordingUpstream(rig, (socket, { line }) => {
    if (line.startsWith('GET /raw ')) {
      socket.write(bytes, 'latin1');
      if (ends) socket.end();
    } else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
  });
  const { url } = await rig.proxy({
    plan: parse(`{ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: "${upstream.url}" } }`),
  });
  return { url, upstream };
}

/** The body a client reads; undefined when the answer is not whole. */
function bodyIn(all: string): string | undefined {
  const answer = all.replace(/^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)+/, '');
  const at = answer.indexOf('\r\n\r\n');
  const [head, body] = [answer.slice(0, at), answer.slice(at + 4)];
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    if (!body.endsWith('0\r\n\r\n')) return undefined;
    return [...body.matchAll(/([0-9a-f]+)\r\n([^]*?)\r\n/gi)].map(([, , data]) => data).join('');
  }
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (/ (?:204|304) /.test(head.split('\r\n', 1).join())) return body;
  return length === undefined || body.length === Number(length) ? body : undefined;
}

describe('an upstream that answers with', () => {
  it.each(RAW_ANSWERS.map((each) => [each.name, each] as const))('%s', async (_, { bytes, ends, client }) => {
    const { url } = await answering(bytes, ends);
    const answer = await rawExchange(url, get('/raw'), SILENCE_MS);
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 ([2-9]\d+)/gm)].map(([, status]) => Number(status));
    const body = bodyIn(answer);
    const seen = {
      statuses,
      body: body?.includes('PROXY_UPSTREAM_RESET') ? 'refused' : body,
      poisoned: answer.includes('poison'),
    };
    const told = client === 'cut' ? { status: 200, body: undefined } : { body: 'refused', ...client };
    expect(seen).toEqual({ statuses: [told.status], body: told.body, poisoned: false });
    // Whatever was left on the connection: the next clients get their own answers.
    for (const target of ['/1', '/2', '/3'])
      expect(bodyIn(await rawExchange(url, get(target), SILENCE_MS))).toBe(`GET ${target} `);
  });

  it('bytes while its connection lies idle, which nobody gets', async () => {
    const { url, upstream } = await answering('');
    await rawExchange(url, get('/1'), SILENCE_MS);
    for (const socket of upstream.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    const answers = await Promise.all(
      ['/2', '/3'].map((target) => rawExchange(url, get(target), SILENCE_MS)),
    );
    expect(answers.map(bodyIn)).toEqual(['GET /2 ', 'GET /3 ']);
  });

  it('an answer before the upload is over: the rest of the upload is no request', async () => {
    const seen: string[] = [];
    const early = await rig.tcpServer((socket) => {
      let isAnswered = false;
      socket.on('data', (chunk) => {
        seen.push(chunk.toString('latin1'));
        if (!isAnswered) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
        isAnswered = true;
      });
    });
    const { url } = await rig.proxy({
      plan: parse(`{ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: "${early.url}" } }`),
    });
    const smuggled = get('/smuggled', 'keep-alive');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    rig.own(() => void socket.destroy());
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    const answered = (count: number) =>
      eventually(
        () => answer.match(/HTTP\/1\.1 413/g)?.length,
        (found) => found === count,
      );
    socket.write(`POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length + 1}\r\n\r\nx`);
    await answered(1);
    socket.write(smuggled + get('/after', 'keep-alive'));
    await answered(2);
    expect(seen.filter((text) => text.startsWith('GET /after '))).toHaveLength(1);
    expect(seen.filter((text) => text.startsWith('GET /smuggled '))).toEqual([]);
  });
});
