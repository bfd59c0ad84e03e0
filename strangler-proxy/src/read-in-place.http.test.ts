import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createWeb } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { readInPlace } from './read-in-place.js';

const open: { destroy(): void }[] = [];
afterEach(() => open.splice(0).forEach((each) => each.destroy()));

/** A connection: its client, and the server's socket as `connection` gives it. */
async function connection(): Promise<{ client: Socket; socket: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(client, socket);
  return { client, socket };
}

/** What comes until so many bytes are there. */
function gather(bytes: number) {
  const pieces: Buffer[] = [];
  let missing = bytes;
  let done = (_all: Buffer) => {};
  const all = new Promise<Buffer>((resolve) => (done = resolve));
  const take = (piece: Buffer): void => {
    pieces.push(Buffer.from(piece));
    missing -= piece.length;
    if (missing === 0) done(Buffer.concat(pieces));
  };
  return { all, take };
}

describe('a socket that reads in place', () => {
  it('gives each connection its own bytes, out of one buffer', async () => {
    const buffer = Buffer.alloc(16);
    const sent = [randomBytes(1_000), randomBytes(1_000)];
    const got = await Promise.all(
      sent.map(async (bytes) => {
        const { client, socket } = await connection();
        const { all, take } = gather(bytes.length);
        const seen = (piece: Buffer) => {
          expect(piece.buffer).toBe(buffer.buffer);
          take(piece);
        };
        expect(readInPlace(socket, buffer, seen)).toBeDefined();
        client.write(bytes);
        return all;
      }),
    );
    expect(got).toEqual(sent);
  });

  it('is a stream from the way back on: what was put back comes first, and a reader that waits holds its sender', async () => {
    const { client, socket } = await connection();
    const first = new Promise<Buffer>((done) => {
      const back = readInPlace(socket, Buffer.alloc(65_536), (bytes) => {
        back?.();
        socket.pause();
        socket.unshift(Buffer.from(bytes));
        done(Buffer.from(bytes));
      });
    });
    client.write('first');
    expect(String(await first)).toBe('first');

    const rest = randomBytes(32 * 1_048_576);
    client.write(rest);
    const turn = () => new Promise((done) => setImmediate(done));
    while (socket.readableLength < socket.readableHighWaterMark) await turn();
    // One that went on would read 64 KiB in each turn.
    for (let turns = 0; turns < 100; turns++) await turn();
    expect(socket.readableLength).toBeLessThan(1_048_576);
    const { all, take } = gather(5 + rest.length);
    socket.on('data', take).resume();
    expect((await all).equals(Buffer.concat([Buffer.from('first'), rest]))).toBe(true);
  }, 30_000);

  it.each(['ends', 'breaks'])(
    'brings nothing of another connection to the server that has taken it over, when it %s',
    async (how) => {
      const buffer = Buffer.alloc(65_536);
      const seen: string[] = [];
      const web = createWeb((request, response) => {
        seen.push(request.url ?? '');
        response.end();
      });
      const [{ client, socket }, other] = [await connection(), await connection()];
      const back = readInPlace(socket, buffer, (bytes) => {
        back?.();
        socket.pause();
        socket.unshift(Buffer.from(bytes));
        web.emit('connection', socket);
        socket.resume();
      });
      const ask = async (path: string) => {
        client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await once(client, 'data');
      };
      await ask('/first');
      await ask('/second');
      // What all share has the request of somebody else now, and it is as long.
      const told = new Promise((done) => void readInPlace(other.socket, buffer, done));
      other.client.write(`GET /others HTTP/1.1\r\nHost: a\r\n\r\n`);
      await told;
      const closed = new Promise((done) => socket.on('error', () => {}).once('close', done));
      if (how === 'ends') client.end();
      else client.resetAndDestroy();
      await closed;
      expect(seen).toEqual(['/first', '/second']);
    },
  );

  it('ends and breaks as the stream it is', async () => {
    const ending = await connection();
    readInPlace(ending.socket, Buffer.alloc(16), () => {});
    const ended = once(ending.socket.resume(), 'end');
    ending.client.end('bye');
    await ended;

    const breaking = await connection();
    readInPlace(breaking.socket, Buffer.alloc(16), () => {});
    const broken = once(breaking.socket, 'error');
    breaking.client.resetAndDestroy();
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('stays a stream where its handle is not as known', async () => {
    const { client, socket } = await connection();
    const { all, take } = gather(5);
    const bare = Object.create(socket, { _handle: { value: {} } }) as Socket;
    expect(readInPlace(bare, Buffer.alloc(16), () => {})).toBeUndefined();
    socket.on('data', take);
    client.write('hello');
    expect(String(await all)).toBe('hello');
  });
});
