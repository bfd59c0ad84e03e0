import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { judge, openSender, type Sender } from './send.js';

let server: Server | undefined;
let sender: Sender | undefined;
async function start(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  sender = openSender(300);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`;
}

afterEach(() => {
  sender?.close();
  server?.close().closeAllConnections();
});

it.each([
  [201, '{"number":3}', 'ok'],
  [409, '{"code":"SOLD_OUT"}', 'refused'],
  [503, '{"code":"FENCED"}', 'refused'],
  [503, '{"code":"PROXY_HOLD_TIMEOUT"}', 'refused'],
  [503, '{"code":"PROXY_STALE_EPOCH"}', 'refused'],
  [503, '{"code":"PROXY_WRITE_UNKNOWN"}', 'unknown'],
  [502, '{"code":"PROXY_UPSTREAM_RESET"}', 'unknown'],
  [504, '{"code":"PROXY_UPSTREAM_TIMEOUT"}', 'unknown'],
  [500, '{"code":"COMMIT_UNKNOWN"}', 'unknown'],
  [503, 'Service Unavailable', 'unknown'],
])('an answer %i %s is %s', (status, text, outcome) => {
  expect(judge(status, text).outcome).toBe(outcome);
});

it('a request that never came to a connection is refused', async () => {
  const url = await start(() => {});
  server?.close();
  await once(server as Server, 'close');
  expect(await sender?.send('POST', url, {})).toMatchObject({ outcome: 'refused' });
});

it('a connection that breaks off, an answer that is cut, and one that does not come are unknown', async () => {
  const url = await start((request, response) => {
    if (request.url === '/orders/break') request.socket.resetAndDestroy();
    else if (request.url === '/orders/cut') {
      response.writeHead(201, { 'content-length': 100 }).write('{"number"');
      setImmediate(() => request.socket.resetAndDestroy());
    }
  });
  for (const what of ['break', 'cut', 'wait'])
    expect(await sender?.send('POST', `${url}/${what}`, {})).toMatchObject({ outcome: 'unknown' });
});

it('a connection is kept, and a kept one that turns out dead makes a write unknown', async () => {
  const sockets = new Set<unknown>();
  const url = await start((request, response) => {
    sockets.add(request.socket);
    response.end('{}');
  });
  expect(await sender?.send('POST', url, {})).toMatchObject({ outcome: 'ok' });
  expect(await sender?.send('POST', url, {})).toMatchObject({ outcome: 'ok' });
  expect(sockets.size).toBe(1);
});
