import { connect, type Socket } from 'node:net';
import type { Instance } from './instance.js';

/** Whoever waits for an answer on a line. */
export type LineUser = {
  /** The bytes are in a buffer that all lines use in turn: what is kept of them is copied. False: no more until `resume`. */
  read(bytes: Buffer, count: number): boolean;
  /** The line is there: what was written goes out. */
  connected(): void;
  /** Nothing more comes; without an error the upstream has ended the connection in good order. */
  ended(error: Error | undefined): void;
};

/** A kept connection to an upstream. It carries one request at a time. */
export type Line = {
  readonly socket: Socket;
  user: LineUser | undefined;
  isConnected: boolean;
  /** It has carried a request before: that it breaks says nothing of the upstream. */
  used: boolean;
  /** On the clock of `sweep`. */
  idleUntil: number;
};

/** The kept connections to one instance: as many as there are requests at a time, the one used last goes first. */
export type Lines = {
  take(user: LineUser, fresh: boolean): Line;
  /** Takes a line back that can carry another request. `keptMs`: what the upstream says it keeps an idle one. */
  give(line: Line, time: number, keptMs: number | undefined): void;
  /** Closes what has been idle for too long, and gives how many are left. */
  sweep(time: number): number;
  /** Closes idle lines; those in use are closed when they are given back. */
  retire(): void;
  stop(): void;
};

// Servers keep an idle connection for 5 s and more (Node's default); it must be us who close it first.
const IDLE_MS = 4_000;
const MARGIN_MS = 1_000;
const MOST_IDLE_MS = 60_000;
export const LINE_BUFFER_BYTES = 131_072;

/** All reads of all lines go into one buffer: a read and what is done with it happen in one turn of the event loop. */
export const createLineBuffer = (): Buffer => Buffer.allocUnsafeSlow(LINE_BUFFER_BYTES);

export function createLines({ host, port }: Pick<Instance, 'host' | 'port'>, buffer: Buffer): Lines {
  const all = new Set<Line>();
  let idle: Line[] = [];
  let isRetired = false;

  const open = (): Line => {
    let failure: Error | undefined;
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer,
        callback(count, bytes) {
          // An answer nobody asked for: whatever it is, no request may ever get it.
          if (line.user) return line.user.read(bytes as Buffer, count);
          socket.destroy();
          return true;
        },
      },
    });
    const line: Line = { socket, user: undefined, isConnected: false, used: false, idleUntil: Infinity };
    all.add(line);
    const gone = () => {
      const { user } = line;
      line.user = undefined;
      user?.ended(failure);
      if (!user) idle = idle.filter((each) => each !== line);
      all.delete(line);
      socket.destroy();
    };
    socket.once('connect', () => {
      line.isConnected = true;
      line.user?.connected();
    });
    socket.on('error', (error) => (failure = error));
    socket.once('end', gone).once('close', gone);
    return line;
  };

  return {
    take(user, fresh) {
      const line = (fresh ? undefined : idle.pop()) ?? open();
      line.user = user;
      return line;
    },
    give(line, time, keptMs) {
      line.user = undefined;
      if (line.socket.destroyed) return;
      if (isRetired) return void line.socket.destroy();
      line.used = true;
      line.idleUntil =
        time + (keptMs === undefined ? IDLE_MS : Math.min(Math.max(0, keptMs - MARGIN_MS), MOST_IDLE_MS));
      idle.push(line);
    },
    sweep(time) {
      const stale = idle.filter(({ idleUntil }) => idleUntil <= time);
      if (stale.length > 0) idle = idle.filter(({ idleUntil }) => idleUntil > time);
      for (const { socket } of stale) socket.destroy();
      return all.size;
    },
    retire() {
      isRetired = true;
      for (const { socket } of idle) socket.destroy();
    },
    stop() {
      for (const { socket } of all) socket.destroy();
    },
  };
}
