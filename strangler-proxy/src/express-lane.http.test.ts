import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRig, eventually, parse, rawExchange } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';

async function before(legacy: string, upstream: Record<string, unknown> = {}) {
  const plan = parse(
    JSON.stringify({
      version: 1,
      proxy: { listen: 0, admin: 0 },
      upstreams: { legacy: { url: legacy, ...upstream } },
    }),
  );
  const proxy = await rig.proxy({ plan });
  const metric = async (name: string) => {
    const text = await (await fetch(`${proxy.admin}/metrics`)).text();
    return Number(new RegExp(`^strangler_proxy_${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1]);
  };
  return { ...proxy, metric, handedOver: () => metric('handed_over_total') };
}
const open = (url: string): Socket => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
  rig.own(() => void socket.destroy());
  return socket;
};
const textOf = (socket: Socket): (() => string) => {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  return () => text;
};

describe('the express lane', () => {
  it('carries plain requests, body or not, and node:http sees nothing of them', async () => {
    const legacy = await rig.server((request, response) => {
      request.on('end', () => response.end(`${request.method} ${request.url}`)).resume();
    });
    const { url, handedOver, metric } = await before(legacy.url);
    expect(await (await fetch(`${url}/a?b`)).text()).toBe('GET /a?b');
    expect(await (await fetch(`${url}/c`, { method: 'POST', body: 'x'.repeat(50_000) })).text()).toBe(
      'POST /c',
    );
    expect(await handedOver()).toBe(0);
    expect(await metric('express_requests_total')).toBe(2);
    expect(await metric('requests_total')).toBe(2);
    expect(await metric('requests_in_flight')).toBe(0);
  });

  it('sends a request that comes again and again on as it did at first, with an id of its own', async () => {
    const seen: string[][] = [];
    const legacy = await rig.server((request, response) => {
      seen.push(request.rawHeaders);
      response.end('ok');
    });
    const { url, handedOver } = await before(legacy.url);
    const client = open(url);
    const text = textOf(client);
    for (let turn = 1; turn <= 4; turn++) {
      client.write(
        'GET /a HTTP/1.1\r\nHost: a\r\nCookie: b=c; strangler_id=d\r\nX-Strangler-E: f\r\nForwarded: g\r\n\r\n',
      );
      await eventually(text, (all) => all.split('200 OK').length === turn + 1);
    }
    const idAt = (seen[0] ?? []).indexOf('X-Request-Id') + 1;
    expect(new Set(seen.map((headers) => headers[idAt])).size).toBe(4);
    expect(new Set(seen.map((headers) => JSON.stringify(headers.toSpliced(idAt, 1)))).size).toBe(1);
    expect(await handedOver()).toBe(0);
  });

  it('keeps the parts of two requests apart that come in turns', async () => {
    const legacy = await rig.server((request, response) => void request.pipe(response));
    const { url } = await before(legacy.url);
    const clients = ['p', 'q'].map((letter) => {
      const client = open(url);
      return { client, letter, text: textOf(client) };
    });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n';
    for (const { client, letter } of clients) {
      client.write(head + letter.repeat(1_000));
      await once(client, 'ready');
    }
    for (const { client, letter } of clients) client.write(letter.repeat(3_000));
    for (const { text, letter } of clients) {
      const got = await eventually(text, (all) => all.split(letter).length > 4_000);
      expect(got).not.toContain(letter === 'p' ? 'qq' : 'pp');
    }
    for (const { client } of clients) client.end();
  });

  it.each([
    [
      'an upload in chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    ],
    ['a whole URL', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an older version', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['an expectation', 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi'],
    [
      'more than it holds',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`,
    ],
  ])('hands a connection with %s over, whole and with what came before it served', async (_what, text) => {
    const legacy = await rig.server((request, response) => {
      request.on('end', () => response.end('ok')).resume();
    });
    const { url, handedOver, metric } = await before(legacy.url);
    const answer = await rawExchange(url, `${GET}${text}`);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(await handedOver()).toBe(1);
    expect(await metric('express_requests_total')).toBe(1);
    expect(await metric('requests_total')).toBe(2);
  });

  it('reads a request that comes in pieces, wherever it is cut', async () => {
    const bodies: string[] = [];
    const legacy = await rig.server((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end('ok');
      });
    });
    const { url } = await before(legacy.url);
    const text = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    const client = open(url).setNoDelay(true);
    const got = textOf(client);
    for (let cut = 1; cut < text.length; cut++) {
      client.write(text.slice(0, cut));
      await new Promise((done) => setImmediate(done));
      client.write(text.slice(cut));
      await eventually(got, (all) => all.split('HTTP/1.1 200').length === cut + 1);
    }
    expect(new Set(bodies)).toEqual(new Set(['hello']));
  });

  it('leaves who sends slowly to node:http, which streams uploads and times heads out', async () => {
    const upstream = await rig.tcpServer((socket) => socket.resume());
    const { url, handedOver } = await before(upstream.url);
    open(url).write('GET / HTTP/1.1\r\nHos');
    expect(await eventually(handedOver, (count) => count === 1)).toBe(1);
    open(url).write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await eventually(handedOver, (count) => count === 2)).toBe(2);
    expect(
      await eventually(
        () => upstream.sockets.size,
        (count) => count === 1,
      ),
    ).toBe(1);
  });

  it('answers requests that a client sent ahead in their order', async () => {
    const release: (() => void)[] = [];
    const legacy = await rig.server((request, response) => {
      if (request.url === '/slow') release.push(() => response.end('slow'));
      else response.end('fast');
    });
    const { url } = await before(legacy.url);
    const client = open(url);
    const got = textOf(client);
    client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(
      () => release.length,
      (count) => count === 1,
    );
    expect(got()).toBe('');
    release[0]?.();
    expect(await eventually(got, (all) => all.includes('fast'))).toMatch(/slow[^]*fast/);
  });

  it('asks again over a new line when the kept ones have all gone stale', async () => {
    let connections = 0;
    const waiting: (() => void)[] = [];
    const upstream = await rig.tcpServer((socket) => {
      connections++;
      let served = false;
      socket.on('data', () => {
        if (served) return void socket.resetAndDestroy();
        served = true;
        waiting.push(() => socket.write(OK));
        if (connections > 3) socket.write(OK);
      });
    });
    const { url } = await before(upstream.url);
    const answers = [1, 2, 3].map(async () => (await fetch(url)).text());
    await eventually(
      () => waiting.length,
      (count) => count === 3,
    );
    for (const answer of waiting) answer();
    expect(await Promise.all(answers)).toEqual(['ok', 'ok', 'ok']);
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(connections).toBe(4);
  });

  it.each([
    [
      'behind an answer',
      (socket: Socket) => void socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`),
    ],
    [
      'that nobody asked for',
      (socket: Socket) => {
        socket.write(OK);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil'), 20);
      },
    ],
  ])('gives an answer %s to no request', async (_which, answer) => {
    const upstream = await rig.tcpServer((socket) => {
      let asked = 0;
      socket.on('data', () => (asked++ === 0 ? answer(socket) : socket.write(OK)));
    });
    const { url } = await before(upstream.url);
    const client = open(url);
    const got = textOf(client);
    client.write(GET);
    await eventually(got, (all) => all.includes('ok'));
    await eventually(
      () => upstream.sockets.size,
      (count) => count === 0,
    );
    client.write(GET);
    await eventually(got, (all) => all.split('\r\n\r\nok').length === 3);
    expect(got()).not.toContain('evil');
  });

  it('passes early hints on and waits for the answer, in whatever pieces they come', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    const text = `${hints}${OK}`;
    let cut = 0;
    const upstream = await rig.tcpServer((socket) =>
      socket.setNoDelay(true).on('data', () => {
        socket.write(text.slice(0, cut));
        setImmediate(() => socket.write(text.slice(cut)));
      }),
    );
    const { url } = await before(upstream.url);
    for (cut = 0; cut <= text.length; cut += 3) {
      const answer = await rawExchange(url, GET, 50);
      expect(answer.startsWith(`${hints}HTTP/1.1 200 OK\r\n`)).toBe(true);
      expect(answer.endsWith('\r\n\r\nok')).toBe(true);
    }
  });

  it('keeps long answers apart, of many clients that read slowly and at once', async () => {
    const bodyOf = (who: number) => Buffer.alloc(700_000, `client ${who} and `);
    const legacy = await rig.server((request, response) => {
      const body = bodyOf(Number(request.url?.slice(1)));
      // By length and in chunks, in turn.
      if (request.url?.endsWith('1')) response.write(body.subarray(0, 100_000));
      response.end(request.url?.endsWith('1') ? body.subarray(100_000) : body);
    });
    const { url, metric } = await before(legacy.url);
    const read = async (who: number): Promise<boolean> => {
      const response = await fetch(`${url}/${who}`);
      const pieces: Uint8Array[] = [];
      for await (const piece of response.body as AsyncIterable<Uint8Array>) {
        pieces.push(piece);
        await new Promise((done) => setTimeout(done, 1));
      }
      return Buffer.concat(pieces).equals(bodyOf(who));
    };
    expect(await Promise.all(Array.from({ length: 40 }, (_, who) => read(who)))).toEqual(
      Array.from({ length: 40 }, () => true),
    );
    expect(await metric('express_requests_total')).toBe(40);
  });

  it('does not read on from a client that does not read its answers', async () => {
    let asked = 0;
    const legacy = await rig.server((_request, response) => {
      asked++;
      response.end(Buffer.alloc(1_000_000));
    });
    const { url } = await before(legacy.url);
    const client = open(url).pause();
    await once(client, 'connect');
    client.write(GET.repeat(1_500_000));
    await new Promise((done) => setTimeout(done, 500));
    const early = asked;
    await new Promise((done) => setTimeout(done, 300));
    expect(asked).toBe(early);
    expect(asked).toBeLessThan(100);
    // The system takes some of the 46 MB; the proxy must not take the rest.
    expect(client.writableLength).toBeGreaterThan(0);
  });

  it('closes lines nobody has used for a while', async () => {
    const upstream = await rig.tcpServer((socket) =>
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\ncontent-length: 2\r\n\r\nok'),
      ),
    );
    const { url } = await before(upstream.url);
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(
      await eventually(
        () => upstream.sockets.size,
        (count) => count === 0,
      ),
    ).toBe(0);
  });
});
