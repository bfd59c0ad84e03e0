import { setTimeout as delay } from 'node:timers/promises';
import {
  type ChangeEvent,
  type Offset,
  reasonOf,
  type Row,
  type SourceTransaction,
  StranglerError,
  type StrayWrite,
  type StrayWrites,
  type StrayWritesMode,
} from '@strangler/contracts';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { isRetryable } from './database-errors.js';
import { strayWrite } from './errors.js';
import { keyShown, keyText } from './map.js';
import { isOwn } from './own-rows.js';
import { parentKey } from './read-pair.js';
import type { StrayStore } from './stray-store.js';
import type { Table } from './table.js';
import type { TablePair } from './table-pair.js';

/** Every transaction of ours moves the offset first. */
export const OFFSET_TABLE = 'apply_offset';
/** Whether we wrote a transaction of the target's log. */
export const isOurs = ({ changes }: Pick<SourceTransaction, 'changes'>, controlSchema: string): boolean =>
  changes.some(({ table, database }) => table === OFFSET_TABLE && database === controlSchema);

const SAMPLES = 10;
const KEPT_MS = 10_000;
const AGAIN_MS = 10_000;

export type StrayWriteOptions = {
  readonly stream: string;
  /** Schemas of the target: that of its tables, and the one beside it. */
  readonly controlSchema: string;
  readonly pairs: readonly TablePair[];
  readonly mode: Exclude<StrayWritesMode, 'ignore'>;
  readonly store: StrayStore;
  /** The log of the target. */
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  /** Why the target's log cannot tell, undefined when it can. */
  readonly unwatchable: () => Promise<string | undefined>;
  /** `USER@HOST` of a connection that is still there. */
  readonly userOf: (thread: number) => Promise<string | null>;
  /** Copies the source rows of target keys again, and removes those without one. */
  readonly mend: (pair: TablePair, keys: readonly Row[]) => Promise<void>;
  /** Copies a whole source table again. */
  readonly recopy: (table: string) => Promise<unknown>;
  readonly chunkRows: number;
  readonly clock: () => number;
  readonly onFound: (found: StrayWrites) => void;
};

/** A mapped table of the target, and which key of its pair a row of it belongs to. */
type Written = { readonly pair: TablePair; readonly table: Table; readonly keyOf: (row: Row) => Row };

/**
 * Follows the target's log and tells of rows in mapped tables that were written by anybody but us. What it could not read it says, and goes on behind
 * that: it never ends the flow but by STRAY_WRITE, which is thrown when the plan asks for it.
 */
export async function watchStrayWrites(options: StrayWriteOptions, signal: AbortSignal): Promise<never> {
  const { mode, store, onFound } = options;
  const written = writtenTables(options.pairs);
  const stored = await store.read();
  let at = stored?.offset;
  let [count, repaired] = [stored?.found ?? 0, stored?.repaired ?? 0];
  let unwatched: string | null = null;
  let samples: readonly StrayWrite[] = [];
  let keptAt = 0;
  let isRepairing = false;
  const tell = () => onFound({ unwatched, count, repaired, samples });
  const keep = async (offset: Offset) => {
    at = offset;
    keptAt = options.clock();
    await store.keep({ offset, found: count, repaired });
  };
  const changes = options.sourceOf([
    { database: options.controlSchema, table: OFFSET_TABLE, columns: ['stream'] },
    ...[...written.values()].map(([{ table }]) => ({
      database: table.database,
      table: table.name,
      columns: table.primaryKey,
    })),
  ]);
  const note = (found: readonly StrayWrite[]) => {
    count += found.length;
    samples = [...found.toReversed(), ...samples].slice(0, SAMPLES);
    tell();
  };

  for (;;) {
    try {
      signal.throwIfAborted();
      const reason = await options.unwatchable();
      if (reason !== undefined) throw new Error(reason);
      if (!at) await keep(await changes.now());
      unwatched = null;
      tell();
      for await (const transaction of changes.stream(at as Offset, signal)) await take(transaction);
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StranglerError && error.code === 'STRAY_WRITE') throw error;
      // Not the log's: a connection of the flow is lost, or a row could not be copied.
      if (isRepairing || (!(error instanceof StranglerError) && isRetryable(error))) throw error;
      await lookAway(error);
      await delay(AGAIN_MS, undefined, { signal });
    }
  }

  async function take({ changes: all, next, committedAt, thread, isContinued }: SourceTransaction) {
    const stray = isOurs({ changes: all }, options.controlSchema)
      ? []
      : all.filter((change) => written.has(`${change.database}.${change.table}`));
    if (stray.length > 0) {
      const user = thread === undefined ? null : await options.userOf(thread);
      const found = stray.map((change) => sampleOf(change, committedAt, user));
      note(found);
      if (mode === 'stop') {
        await keep(next);
        const { table, key } = found[0] as StrayWrite;
        throw strayWrite(options.stream, table, key, user);
      }
      if (mode === 'repair') {
        isRepairing = true;
        await repair(stray);
        isRepairing = false;
      }
    }
    if (!isContinued && (stray.length > 0 || options.clock() - keptAt >= KEPT_MS)) await keep(next);
  }

  function sampleOf(change: ChangeEvent, committedAt: number, user: string | null): StrayWrite {
    const [{ table }] = written.get(`${change.database}.${change.table}`) as WrittenBy;
    const image = change.after ?? change.before;
    const key =
      image && keyShown(Object.fromEntries(table.primaryKey.map((name) => [name, image[name] ?? null])));
    return {
      table: change.table,
      key,
      operation: change.operation,
      at: new Date(committedAt).toISOString(),
      user,
    };
  }

  async function repair(stray: readonly ChangeEvent[]): Promise<void> {
    const keys = new Map<TablePair, Map<string, Row>>();
    for (const { database, table, before, after, operation } of stray) {
      for (const { pair, keyOf } of written.get(`${database}.${table}`) as WrittenBy) {
        if (operation === 'truncate') await copyAgain(pair.name);
        const ofPair = keys.get(pair) ?? new Map<string, Row>();
        keys.set(pair, ofPair);
        for (const image of [before, after])
          if (image && isOwn(pair, keyOf(image))) ofPair.set(keyText(keyOf(image)), keyOf(image));
      }
    }
    for (const [pair, ofPair] of keys) {
      const all = [...ofPair.values()];
      for (let first = 0; first < all.length; first += options.chunkRows)
        await options.mend(pair, all.slice(first, first + options.chunkRows));
      repaired += all.length;
    }
    tell();
  }

  async function copyAgain(table: string): Promise<void> {
    try {
      await options.recopy(table);
    } catch (error) {
      if (!(error instanceof StranglerError && error.code === 'RECOPY_RUNNING')) throw error;
    }
  }

  /** What the log cannot tell is left behind; a statement that wrote a table is a stray write all the same. */
  async function lookAway(error: unknown): Promise<void> {
    unwatched = reasonOf(error);
    const table = /^table "([^"]*)"/.exec(unwatched)?.[1];
    const isStatement = error instanceof StranglerError && error.code === 'STATEMENT_NOT_FOLLOWED';
    if (isStatement && table !== undefined) {
      const now = new Date(options.clock()).toISOString();
      note([{ table, key: null, operation: 'statement', at: now, user: null }]);
      const pairs = [...written.values()].flat().filter((each) => each.table.name === table);
      if (mode === 'stop') {
        await keep(await changes.now());
        throw strayWrite(options.stream, table, null, null);
      }
      if (mode === 'repair') for (const { pair } of pairs) await copyAgain(pair.name);
    }
    tell();
    // A connection that was lost goes on where it was; the rest would come again.
    if (!(error instanceof StranglerError) || error.status === 503) return;
    at = undefined;
  }
}

/** Several, where each has rows of its own in the table. */
type WrittenBy = readonly [Written, ...Written[]];

function writtenTables(pairs: readonly TablePair[]): ReadonlyMap<string, WrittenBy> {
  const found = new Map<string, WrittenBy>();
  const add = (table: Table, pair: TablePair, keyOf: (row: Row) => Row) => {
    const name = `${table.database}.${table.name}`;
    found.set(name, [{ pair, table, keyOf }, ...(found.get(name) ?? [])]);
  };
  for (const pair of pairs) {
    const names = pair.map.keyNames;
    add(pair.target, pair, (row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])));
    for (const [index, child] of pair.children.entries())
      add(child, pair, (row) => parentKey(pair, index, row));
  }
  return found;
}
