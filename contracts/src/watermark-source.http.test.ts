import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakeWatermarkSource } from './fake-watermark-source.js';
import { watermarkSourceConformance } from './watermark-source.conformance.js';
import { httpWatermarkSource } from './watermark-source.js';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function serve(answer: (after: number, signal: AbortSignal) => Promise<readonly [number, string]>) {
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const after = Number(new URL(request.url ?? '', 'http://sync').searchParams.get('after'));
    answer(after, gone.signal).then(
      ([status, body]) => response.writeHead(status).end(body),
      () => response.destroy(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const fake = () => fakeWatermarkSource(() => performance.now());

describe('a source in memory', () => {
  watermarkSourceConformance(async () => {
    const source = fake();
    return { source, move: (until) => source.move('catalog', until) };
  });
});

describe('a source over HTTP', () => {
  watermarkSourceConformance(async () => {
    const behind = fake();
    const url = await serve(async (after, signal) => [200, JSON.stringify(await behind.ask(after, signal))]);
    return { source: httpWatermarkSource(url), move: (until) => behind.move('catalog', until) };
  });

  it.each([
    ['an error', 503, '{"code":"X"}'],
    ['something else', 200, '{"migrations":{}}'],
    ['no JSON', 200, 'hello'],
  ])('rejects %s', async (_what, status, body) => {
    const source = httpWatermarkSource(await serve(async () => [status, body]));
    await expect(source.ask(0, new AbortController().signal)).rejects.toMatchObject({
      code: 'SYNC_NOT_UNDERSTOOD',
    });
  });
});
