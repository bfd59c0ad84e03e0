import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `cut`: connections are reset and new ones are refused. `silent`: nothing arrives any more, and nobody is told. */
export type LinkState = 'whole' | 'cut' | 'silent';

/** A piece of network between two programs that can break and be mended. */
export type Relay = {
  readonly name: string;
  readonly port: number;
  set(state: LinkState): void;
  close(): Promise<void>;
};

/**
 * Breaks a connection off. Not by a reset while it is being shut down: libuv refuses that, Node forgets the handle all the same, and the process
 * turns for ever when it ends.
 */
const breakOff = (socket: Socket): void =>
  void (socket.writableEnded ? socket.destroy() : socket.resetAndDestroy());

/** Listens on a port of its own and hands everything on to `port` of this machine. What a silent link has taken in arrives when it is whole again. */
export async function startRelay(name: string, port: number): Promise<Relay> {
  let state: LinkState = 'whole';
  const open = new Set<Socket>();
  const server = createServer((near) => {
    if (state === 'cut') {
      breakOff(near);
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      if (state === 'silent') socket.pause();
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        if (to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (state === 'whole') from.resume();
        });
      });
      from.once('end', () => to.end());
      // One that died takes the other along, as it would without us.
      from.once('error', () => breakOff(to));
      from.once('close', () => {
        open.delete(from);
        if (!to.destroyed && !from.readableEnded) to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reset = () => {
    for (const socket of open) breakOff(socket);
    open.clear();
  };
  return {
    name,
    port: (server.address() as AddressInfo).port,
    set(next) {
      state = next;
      if (next === 'cut') return reset();
      for (const socket of open)
        if (next === 'silent') socket.pause();
        else socket.resume();
    },
    async close() {
      server.close();
      reset();
      await once(server, 'close');
    },
  };
}
