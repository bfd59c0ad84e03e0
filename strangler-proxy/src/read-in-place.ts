import type { Socket } from 'node:net';

/** What Node's own `net` does with a socket's handle. No public way leads there; where a part of it is missing, nothing is done. */
type Handle = {
  onread: (this: Handle, ...given: unknown[]) => void;
  readonly bytesRead: number;
  reading: boolean;
  /** Whether an HTTP parser takes the bytes below the stream; it does so once at most. */
  _consumed?: boolean;
  useUserBuffer(buffer: Uint8Array): void;
  readStop(): number;
};
type Handled = Socket & {
  readonly _handle?: Partial<Handle> | null;
  readonly _unrefTimer?: (this: Socket) => void;
};

/**
 * Has a server's socket read into a buffer that all share, in place of 64 KiB of new memory for each read. `take` gets a view and
 * copies what it keeps: the next read of anybody overwrites it. Gives the way back, after which the socket is a stream as any
 * other; undefined where it is one from the start. The end and errors are the stream's in either case.
 */
export function readInPlace(
  socket: Socket,
  buffer: Buffer,
  take: (bytes: Buffer) => void,
): (() => void) | undefined {
  const { _handle: handle, _unrefTimer: touch } = socket as Handled;
  if (!isWhole(handle)) return undefined;
  const { onread } = handle;
  let seen = handle.bytesRead;
  let isStream = false;
  handle.useUserBuffer(buffer);
  handle.onread = function (...given) {
    const count = handle.bytesRead - seen;
    // The end of the stream, or an error: neither has bytes, and `net` knows what to do.
    if (count === 0) return onread.apply(this, given);
    seen += count;
    if (socket.destroyed) return;
    const bytes = buffer.subarray(0, count);
    if (!isStream) return take(bytes);
    // From here on as `net` does it.
    touch?.call(socket);
    if (socket.push(Buffer.from(bytes))) return;
    handle.reading = false;
    handle.readStop();
  };
  return () => {
    isStream = true;
    // A parser that took bytes past us would leave us to take them for new ones when the connection ends: what the buffer has by then
    // are requests of other clients, and they would be served once more. To node:http it is a stream as one with TLS is.
    Object.assign(handle, { _consumed: true });
  };
}

const isWhole = (handle: Partial<Handle> | null | undefined): handle is Handle =>
  typeof handle?.onread === 'function' &&
  typeof handle.bytesRead === 'number' &&
  typeof handle.useUserBuffer === 'function' &&
  typeof handle.readStop === 'function';
