import { createHash } from 'node:crypto';
import type { Flags } from './flags.js';
import { contextOf, stickTo } from './sticky-strategy.js';

/** Flags that a test sets by hand: each is on for a percentage of the clients, always the same ones. */
export function fakeFlags(
  shares: Record<string, number | undefined> = {},
  stickiness = 'default',
): Flags & { set(flag: string, share: number): void } {
  const listeners: (() => void)[] = [];
  const bucketOf = (flag: string, id: string): number =>
    (createHash('sha256').update(`${flag}:${id}`).digest().readUInt32BE() % 100) + 1;
  const idOf: Flags['stickTo'] = (_flag, client) => stickTo(stickiness, contextOf(client));
  return {
    isOn: (flag, client) => bucketOf(flag, idOf(flag, client)) <= (shares[flag] ?? 0),
    isEnabled: (flag) => (shares[flag] ?? 0) > 0,
    stickTo: idOf,
    share: (flag) => shares[flag] ?? 0,
    bucket: (flag, client) =>
      client === undefined || shares[flag] === undefined ? null : bucketOf(flag, idOf(flag, client)),
    definition: (flag) => String(shares[flag]),
    onChange: (listener) => void listeners.push(listener),
    start: async () => {},
    stop: () => {},
    set(flag, share) {
      shares[flag] = share;
      for (const listener of listeners) listener();
    },
  };
}
