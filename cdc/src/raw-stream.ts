import { connect as connectSocket, type Socket } from 'node:net';

type Take = (chunk: Buffer) => void;
type Wish = {
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly socketPath?: string;
    readonly ssl?: unknown;
  };
};

const READ_BYTES = 262_144;
const takers = new WeakMap<object, Take>();

/** What comes from the socket goes to `take` and not to the driver until it is called without one. A socket that is not ours goes on as it does. */
export function takeFrom(socket: object, take: Take | undefined): void {
  if (take) takers.set(socket, take);
  else takers.delete(socket);
}

/**
 * Opens a connection's socket, for mysql2: one that reads into one buffer again and again. The usual way makes a buffer of 64 KiB for every read, and to
 * collect them was two fifths of what a verification took of the processor. A chunk that is handed to `take` is only there until that returns.
 */
export function rawStream({ config }: Wish): Socket {
  const { host, port, socketPath } = config;
  if (socketPath) return connectSocket(socketPath);
  const common = { host, port, noDelay: true, keepAlive: true };
  // TLS reads what comes by itself.
  if (config.ssl) return connectSocket(common);
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const socket = connectSocket({
    ...common,
    onread: {
      buffer,
      callback(length) {
        const chunk = buffer.subarray(0, length);
        const take = takers.get(socket);
        if (take) take(chunk);
        // The driver keeps parts of what it is given.
        else socket.emit('data', Buffer.from(chunk));
        return true;
      },
    },
  });
  return socket;
}
