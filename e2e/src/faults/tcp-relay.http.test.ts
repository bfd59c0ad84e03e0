import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Relay, startRelay } from './tcp-relay.js';

let server: Server;
let relay: Relay;
const sockets: Socket[] = [];

/** A server that says everything back, and a client that reaches it through a relay. */
async function start(): Promise<Socket> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {}).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  relay = await startRelay('a-b', (server.address() as AddressInfo).port);
  return join();
}
async function join(): Promise<Socket> {
  const socket = connect(relay.port, '127.0.0.1').setEncoding('utf8');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}
const echo = async (socket: Socket, text: string) => {
  socket.write(text);
  const [heard] = (await once(socket, 'data')) as [string];
  return heard;
};

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await relay.close();
  server.close();
});

it('hands on what both sides say, and the end of either', async () => {
  const socket = await start();
  expect(await echo(socket, 'hello')).toBe('hello');
  socket.end();
  await once(socket, 'close');
});

it('a cut link resets who is connected and who comes, until it is whole', async () => {
  const socket = await start();
  await echo(socket, 'hello');
  relay.set('cut');
  const [reason] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(reason.code).toBe('ECONNRESET');
  const refused = connect(relay.port, '127.0.0.1');
  sockets.push(refused);
  await once(refused, 'error');
  relay.set('whole');
  expect(await echo(await join(), 'again')).toBe('again');
});

it('a silent link keeps what is said, and it arrives when the link is whole', async () => {
  const socket = await start();
  await echo(socket, 'hello');
  relay.set('silent');
  let heard = '';
  socket.on('data', (text) => (heard += String(text)));
  socket.write('late');
  const other = await join();
  other.write('x');
  // Another relay is quicker than this one would have been.
  const side = await startRelay('side', (server.address() as AddressInfo).port);
  const quick = connect(side.port, '127.0.0.1').setEncoding('utf8');
  sockets.push(quick);
  await echo(quick, 'y');
  expect(heard).toBe('');
  relay.set('whole');
  if (heard === '') await once(socket, 'data');
  expect(heard).toBe('late');
  quick.destroy();
  await side.close();
});
