import type { RepairResult, Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { connect, type Database } from './connect.js';
import { driftStore, type DriftStore, type KeptDrift } from './drift-store.js';
import { isParked } from './expected-rows.js';
import { lookAgain, type Verdict } from './look-again.js';
import { keyText } from './map.js';
import type { Flow } from './flow.js';
import type { TablePair } from './table-pair.js';

/** Rows of a plan or an answer that are shown. */
const SHOWN = 100;
const MOST_READ = 10_000;
const KEYS_AT_A_TIME = 500;

/** `by` is who wants it. */
export type RepairWish = { readonly dryRun?: boolean; readonly by?: string };

export type RepairOptions = {
  readonly stream: string;
  readonly from: Database;
  readonly to: Database;
  readonly flow: Flow;
  readonly clock: () => number;
};

type Keys = { readonly pair: TablePair; readonly keys: readonly Row[] };

/**
 * Puts right what verifications have found to differ. Each key is looked at again first; what still differs is copied from the source as it is now, between two watermarks,
 * through the applier, and a row is removed only when the source has none there. Then it is looked at once more: what is equal is forgotten.
 */
export async function repairDrift(
  options: RepairOptions,
  wish: RepairWish,
  signal: AbortSignal,
): Promise<RepairResult> {
  const connections: Connection[] = [];
  const open = async (database: Database) => {
    const connection = await connect(database);
    connections.push(connection);
    return connection;
  };
  try {
    const { stream, flow, from, to, clock } = options;
    const store = driftStore(await open(to), to, stream, flow.pairs, clock);
    const known = await store.read(wish.dryRun ? SHOWN : MOST_READ);
    const plan = { total: await store.count(), rows: known.slice(0, SHOWN).map(shown) };
    if (wish.dryRun) return { dryRun: true, ...plan, repaired: 0, equal: 0, left: plan.total };
    const [source, target] = [await open(from), await open(to)];
    let [repaired, equal] = [0, 0];
    for (const { pair, keys } of byKeys(known)) {
      const look = (some: readonly Row[]) => lookAgain({ pair, flow, source, target }, some, signal);
      const before = await settle(store, pair, await look(keys));
      equal += before.equal;
      // A parked key has its own way to be repaired.
      const wrong = before.differ.filter((key) => !isParked(pair, key, flow.parked()));
      if (wrong.length === 0) continue;
      await flow.mend(pair, wrong, signal);
      repaired += (await settle(store, pair, await look(wrong))).equal;
    }
    const left = await store.count();
    const rows = (await store.read(SHOWN)).map(shown);
    return { dryRun: false, total: plan.total, rows, repaired, equal, left };
  } finally {
    for (const connection of connections) connection.destroy();
  }
}

const shown = ({ table, kind, key, difference }: KeptDrift) => ({ table, kind, key, difference });

/** Each key once, with others of its mapping. */
function byKeys(known: readonly KeptDrift[]): readonly Keys[] {
  const found = new Map<TablePair, Map<string, Row>>();
  for (const { pair, rowKey } of known) {
    const keys = found.get(pair) ?? new Map<string, Row>();
    found.set(pair, keys.set(keyText(rowKey), rowKey));
  }
  return [...found].flatMap(([pair, keys]) => {
    const all = [...keys.values()];
    return Array.from({ length: Math.ceil(all.length / KEYS_AT_A_TIME) }, (_, at) => ({
      pair,
      keys: all.slice(at * KEYS_AT_A_TIME, (at + 1) * KEYS_AT_A_TIME),
    }));
  });
}

async function settle(
  store: DriftStore,
  pair: TablePair,
  verdicts: readonly Verdict[],
): Promise<{ readonly equal: number; readonly differ: readonly Row[] }> {
  for (const { key, differences } of verdicts) await store.settle(pair, key, differences);
  const differ = verdicts.filter(({ differences }) => differences.length > 0).map(({ key }) => key);
  return { equal: verdicts.length - differ.length, differ };
}
