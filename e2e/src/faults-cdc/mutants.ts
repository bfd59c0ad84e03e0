import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';

type Ask = (sql: string, values?: unknown) => Promise<unknown>;
/** What a mutant keeps of a connection. */
type Kept = { savepoints: string[]; later: (() => Promise<unknown>)[] };
/** Does a statement of sync otherwise than sync has asked. */
type Mutant = (
  ask: Ask,
  statement: { readonly sql: string; readonly values: unknown; readonly kept: Kept },
) => Promise<unknown>;

/** What should be one step is two: between them it stands still when it is asked to, so that a kill meets it there. */
let gap: () => Promise<void> = async () => {};
/** So long that a reader looks in between. */
const SPLIT_MS = 30;
const isOffset = (sql: string): boolean => /^UPDATE \S+apply_offset\S* SET log_offset/.test(sql);
const nothingDone = [{ affectedRows: 0 }, undefined];

/** Sync with one promise broken each, by what its connections make of a statement. The search has to find every one of them. */
export const MUTANTS = {
  async 'offset before rows'(ask, { sql, values }) {
    const moved = await ask(sql, values);
    if (!isOffset(sql)) return moved;
    await ask('COMMIT');
    await gap();
    await ask('START TRANSACTION');
    return moved;
  },
  async 'offset after rows'(ask, { sql, values, kept }) {
    if (isOffset(sql)) {
      kept.later.push(() => ask(sql, values));
      return [{ affectedRows: 1 }, undefined];
    }
    if (sql === 'START TRANSACTION') kept.later = [];
    const done = await ask(sql, values);
    if (sql !== 'COMMIT' || kept.later.length === 0) return done;
    await gap();
    for (const move of kept.later.splice(0)) await move();
    return done;
  },
  'offset left behind': (ask, { sql, values }) =>
    ask(isOffset(sql) ? sql.replace('log_offset = ?', 'log_offset = COALESCE(log_offset, ?)') : sql, values),
  async 'transaction split in two'(ask, { sql, values, kept }) {
    const savepoint = /^SAVEPOINT (\w+)$/.exec(sql)?.[1];
    if (savepoint !== undefined) kept.savepoints.push(savepoint);
    if (sql === 'START TRANSACTION') kept.savepoints = [];
    if (/^(?:INSERT INTO|UPDATE|DELETE FROM) .*`safe`/.test(sql)) {
      await ask('COMMIT');
      await delay(SPLIT_MS);
      await ask('START TRANSACTION');
      for (const name of new Set(kept.savepoints)) await ask(`SAVEPOINT ${name}`);
    }
    return ask(sql, values);
  },
  'deletes skipped': async (ask, { sql, values }) =>
    /^DELETE FROM \S+`holder` WHERE/.test(sql) ? nothingDone : ask(sql, values),
  /** After a restart later changes of a parked key are applied. */
  'parked keys forgotten': async (ask, { sql, values }) =>
    /^SELECT key_id, .* FROM \S+`parked`/s.test(sql) ? [[], []] : ask(sql, values),
} as const satisfies Readonly<Record<string, Mutant>>;

export type MutantName = keyof typeof MUTANTS;

/** From here on every connection of this process does what the mutant does; `betweenSteps` holds it where it is torn in two. */
export function mutate(name: MutantName, betweenSteps: () => Promise<void>): void {
  gap = betweenSteps;
  const { prototype } = (mysql as unknown as { PromiseConnection: { prototype: { query: Ask } } })
    .PromiseConnection;
  const { query } = prototype;
  const all = new WeakMap<object, Kept>();
  prototype.query = function (this: object, sql, values) {
    const kept = all.get(this) ?? { savepoints: [], later: [] };
    all.set(this, kept);
    return MUTANTS[name]((text, given) => query.call(this, text, given), { sql, values, kept });
  };
}
