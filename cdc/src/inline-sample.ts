import { setTimeout as delay } from 'node:timers/promises';
import type { Row } from '@strangler/contracts';
import { connect, type Database } from './connect.js';
import { driftStore } from './drift-store.js';
import { isParked } from './expected-rows.js';
import { lookAgain } from './look-again.js';
import { keyIdOf } from './parking-lot.js';
import type { Flow } from './flow.js';
import type { TablePair } from './table-pair.js';

/** Keys that wait to be looked at; while there are so many no more are chosen. */
const MOST_WAITING = 200;
const LOOK_EVERY_MS = 1_000;

export type InlineSampleOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly flow: Flow;
  /** Of the keys that the log touches. */
  readonly share: number;
  readonly random: () => number;
  readonly clock: () => number;
  /** Told how many keys were looked at, and how many of them differed in every look. */
  readonly onLooked: (looked: number, drifted: number) => void;
};

/**
 * Looks at a share of the keys that are written, soon after they are, as a verification looks at keys that are doubtful. What differs is kept as drift. It has connections
 * of its own and at most one list of keys a second, so that the flow does not wait for it; it ends by throwing, with the flow at the latest.
 */
export async function followSample(options: InlineSampleOptions, signal: AbortSignal): Promise<never> {
  const { flow, share, random } = options;
  const waiting = new Map<TablePair, Row[]>();
  let count = 0;
  const [source, target, keeper] = await Promise.all([
    connect(options.from),
    connect(options.to),
    connect(options.to),
  ]);
  const unwatch = flow.watch((table, key) => {
    if (key === null || count >= MOST_WAITING || random() >= share) return;
    for (const pair of flow.pairs)
      if (pair.name === table) {
        waiting.set(pair, [...(waiting.get(pair) ?? []), key]);
        count++;
      }
  });
  try {
    const store = driftStore(keeper, options.to, options.stream, flow.pairs, options.clock);
    for (;;) {
      await delay(LOOK_EVERY_MS, undefined, { signal });
      const chosen = [...waiting];
      waiting.clear();
      count = 0;
      for (const [pair, keys] of chosen) {
        const once = [...new Map(keys.map((key) => [keyIdOf(pair, key), key])).values()];
        const verdicts = await lookAgain({ pair, flow, source, target }, once, signal);
        const drifted = verdicts.filter(
          ({ key, differences }) => differences.length > 0 && !isParked(pair, key, flow.parked()),
        );
        for (const { key, differences } of drifted) await store.settle(pair, key, differences);
        options.onLooked(verdicts.length, drifted.length);
      }
    }
  } finally {
    unwatch();
    for (const connection of [source, target, keeper]) connection.destroy();
  }
}
