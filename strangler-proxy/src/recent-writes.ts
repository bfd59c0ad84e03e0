import type { Client } from './identify.js';
import { laterOf, type Write } from './write-token.js';

/** The last write of clients that say who they are, kept by the replica that saw it: they may keep no cookies, and may write twice at once. */
export type RecentWrites = {
  note(client: Client, write: Write): void;
  of(client: Client, now: number): Write | undefined;
};

// About 2 MB. The oldest goes first; with a ceiling of seconds it is over by then, or writes come by the thousand each second.
const MOST_CLIENTS = 10_000;

const keyOf = ({ kind, id, tenant }: Client): string => JSON.stringify([kind, id, tenant ?? null]);

export function createRecentWrites(ceilingMs: number, most = MOST_CLIENTS): RecentWrites {
  const writes = new Map<string, Write>();
  const isOver = (write: Write, now: number): boolean => now - write.seenAt > ceilingMs;
  return {
    note(client, write) {
      const key = keyOf(client);
      const before = writes.get(key);
      const later = before && !isOver(before, write.seenAt) ? laterOf(before, write) : write;
      // Anew, so that the map stays in the order of the writes.
      writes.delete(key);
      if (writes.size >= most) writes.delete(writes.keys().next().value as string);
      writes.set(key, later);
    },
    of(client, now) {
      const key = keyOf(client);
      const write = writes.get(key);
      if (write === undefined || !isOver(write, now)) return write;
      writes.delete(key);
      return undefined;
    },
  };
}
