import type { ParkingResult, Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { keyNotParked } from './errors.js';
import { keyText } from './map.js';
import { isOwn } from './own-rows.js';
import { type Parked, parkedKeyOf } from './parking-lot.js';
import { readSource } from './read-pair.js';
import type { TablePair } from './table-pair.js';
import { newToken, type Watermarks } from './watermarks.js';

/** Keys of the parking lot with their source rows as they were at some moment between two watermarks. */
export type Repair = {
  readonly low: string;
  readonly high: string;
  readonly keys: readonly {
    readonly pair: TablePair;
    readonly key: Row;
    readonly row?: Row | undefined;
    readonly discard?: GivenUp;
  }[];
};
export type GivenUp = { readonly by: string; readonly why: string };

/** `key` names one as `TABLE:KEY`; all are meant when it is left out. `discard` gives them up in place of repairing them. */
export type ParkingWish = { readonly key?: string; readonly dryRun?: boolean; readonly discard?: GivenUp };

export type RepairOptions = {
  readonly stream: string;
  readonly source: Connection;
  readonly pairs: readonly TablePair[];
  readonly watermarks: Pick<Watermarks, 'write'>;
  readonly parked: () => ReadonlyMap<string, Parked>;
  /** Announces a repair before its high watermark is written; resolves when it is applied. */
  readonly announce: (repair: Repair) => Promise<void>;
};

/** A key that is written all the time is touched between the watermarks now and then. */
const TRIES = 5;

/**
 * Puts parked keys right: their source rows are read between two watermarks and go through the applier at the place of the second one in the log, as a
 * chunk of a backfill does. Old events are not played again. Throws KEY_NOT_PARKED.
 */
export async function repairParked(options: RepairOptions, wish: ParkingWish): Promise<ParkingResult> {
  const chosen = choose(options, wish);
  const dryRun = wish.dryRun ?? false;
  let open = dryRun ? [] : chosen;
  for (let attempt = 0; open.length > 0 && attempt < TRIES; attempt++) {
    await settle(options, open, wish.discard);
    const now = options.parked();
    // A refusal is an answer; only what the log has touched meanwhile is looked at again.
    open = open.flatMap(({ id, events }) => {
      const entry = now.get(id);
      return entry && entry.events > events ? [entry] : [];
    });
  }
  const after = options.parked();
  return {
    dryRun,
    keys: chosen.map(shownKey),
    released: dryRun ? [] : chosen.filter(({ id }) => !after.has(id)).map(shownKey),
    parked: chosen.flatMap(({ id }) => after.get(id) ?? []).map(parkedKeyOf),
  };
}

const shownKey = ({ table, shown }: Parked): string => `${table}:${shown}`;

/** The keys that are meant, with all that wait behind them, those first that others wait for. */
function choose({ parked, stream }: RepairOptions, { key, discard }: ParkingWish): readonly Parked[] {
  const all = [...parked().values()];
  const chosen = key === undefined ? all : all.filter((entry) => shownKey(entry) === key);
  if (key !== undefined && chosen.length === 0) throw keyNotParked(stream, key);
  if (key === undefined || discard) return parentsFirst(chosen);
  for (let from = 0; from < chosen.length; from++)
    chosen.push(...all.filter((entry) => entry.behind === chosen[from]?.id && !chosen.includes(entry)));
  return parentsFirst(chosen);
}

function parentsFirst(entries: readonly Parked[]): readonly Parked[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const sorted = new Set<Parked>();
  const add = (entry: Parked, seen: ReadonlySet<string>) => {
    const parent = entry.behind === null || seen.has(entry.behind) ? undefined : byId.get(entry.behind);
    if (parent) add(parent, new Set([...seen, entry.id]));
    sorted.add(entry);
  };
  for (const entry of entries) add(entry, new Set());
  return [...sorted];
}

async function settle(
  options: RepairOptions,
  entries: readonly Parked[],
  discard: GivenUp | undefined,
): Promise<void> {
  const { source, pairs, watermarks } = options;
  const [low, high] = [newToken(), newToken()];
  await watermarks.write('low', low);
  const rows = new Map<string, Row>();
  const found = entries.flatMap(({ table, key }) => {
    const pair = pairs.find((each) => each.target.name === table && isOwn(each, key));
    return pair ? [{ pair, key }] : [];
  });
  for (const pair of new Set(found.map((each) => each.pair))) {
    const keys = found.filter((each) => each.pair === pair).map(({ key }) => key);
    for (const row of await readSource(source, pair, keys))
      rows.set(`${pair.name}\0${keyText(pair.map.keyOf(row))}`, row);
  }
  const applied = options.announce({
    low,
    high,
    keys: found.map(({ pair, key }) => ({
      pair,
      key,
      row: rows.get(`${pair.name}\0${keyText(key)}`),
      ...(discard ? { discard } : {}),
    })),
  });
  // It may fail while the watermark is still being written.
  applied.catch(() => {});
  await watermarks.write('high', high);
  await applied;
}
