import { createHash } from 'node:crypto';
import {
  type ChangeEvent,
  type ParkedKey,
  type Row,
  reasonOf,
  StranglerError,
  type Value,
} from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Write } from './compact.js';
import { targetKeyText } from './compare-rows.js';
import { parkingFull } from './errors.js';
import { keyShown } from './map.js';
import { quoted } from './sql.js';
import type { TablePair } from './table-pair.js';

/** A key of a target table that is not written any more, until it is repaired from its source or given up. */
export type Parked = {
  readonly id: string;
  /** Target table. */
  readonly table: string;
  readonly key: Row;
  readonly shown: string;
  readonly code: string;
  readonly problem: string;
  /** The parked key that it depends on by a foreign key of the target. */
  readonly behind: string | null;
  readonly events: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
};

/** The key of a parent row that a target row names by a foreign key, for each of them. */
export type ParentsOf = (
  pair: TablePair,
  values: Row,
) => readonly { readonly pair: TablePair; readonly key: Row }[];

export type LotOptions = {
  readonly stream: string;
  /** Schema of the control tables of the target. */
  readonly schema: string;
  readonly maxKeys: number;
  readonly parentsOf: ParentsOf;
  readonly now: () => string;
};

/** Of a key that goes on being written this many events are kept: a repair takes the row as it is, not its history. */
const EVENTS_KEPT = 100;
const PROBLEM_LENGTH = 1_000;

export const keyIdOf = (pair: TablePair, key: Row): string =>
  createHash('sha256')
    .update(`${pair.target.name}\0${targetKeyText(pair, key)}`)
    .digest('hex')
    .slice(0, 32);

export const parkedKeyOf = ({
  table,
  shown,
  code,
  problem,
  behind,
  events,
  firstSeen,
  lastSeen,
}: Parked): ParkedKey => ({
  key: `${table}:${shown}`,
  code,
  problem,
  events,
  firstSeen,
  lastSeen,
  ...(behind === null ? {} : { waits: true as const }),
});

const packed = (value: Value): unknown =>
  value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value;
const packedRow = (row: Row | null): unknown =>
  row && Object.fromEntries(Object.entries(row).map(([name, value]) => [name, packed(value)]));
/** A row as JSON, bytes as `{hex}`. */
export const packedText = (row: Row | null): string => JSON.stringify(packedRow(row));
export const unpackedRow = (text: string): Row =>
  Object.fromEntries(
    Object.entries(JSON.parse(text) as Record<string, string | null | { hex: string }>).map(
      ([name, value]) => [
        name,
        value !== null && typeof value === 'object' ? Buffer.from(value.hex, 'hex') : value,
      ],
    ),
  );
/** Longer values are cut: an event has to fit into a packet of the server beside the rest. */
const LETTERS_KEPT = 20_000;
const cut = (value: unknown): unknown =>
  typeof value === 'string' && value.length > LETTERS_KEPT
    ? { begin: value.slice(0, 1_000), length: value.length }
    : value;

/** An event with both images, bytes as `{hex}`, long values as `{begin, length}`. */
export const eventText = ({ operation, database, table, before, after }: ChangeEvent): string =>
  JSON.stringify(
    { operation, database, table, before: packedRow(before), after: packedRow(after) },
    (_name, value) => cut(value),
  );

export async function readParked(
  connection: Connection,
  schema: string,
  stream: string,
): Promise<Map<string, Parked>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT key_id, table_name, row_key, shown, code, problem, behind, events,
            DATE_FORMAT(first_seen, '%Y-%m-%dT%H:%i:%s.%fZ') first_seen, DATE_FORMAT(last_seen, '%Y-%m-%dT%H:%i:%s.%fZ') last_seen
       FROM ${quoted(schema, 'parked')} WHERE stream = ? AND ordinal = 0 ORDER BY first_seen, key_id`,
    [stream],
  );
  return new Map(
    rows.map((row) => [
      String(row['key_id']),
      {
        id: String(row['key_id']),
        table: String(row['table_name']),
        key: unpackedRow(String(row['row_key'])),
        shown: String(row['shown']),
        code: String(row['code']),
        problem: String(row['problem']),
        behind: row['behind'] as string | null,
        events: Number(row['events']),
        firstSeen: String(row['first_seen']),
        lastSeen: String(row['last_seen']),
      },
    ]),
  );
}

/**
 * The parking lot as one target transaction sees it. What is parked here is on the connection only after `flush`, and for everybody
 * only when the transaction commits.
 */
export class ParkingLot {
  readonly #options: LotOptions;
  readonly #keys: Map<string, Parked>;
  #statements: string[] = [];

  constructor(options: LotOptions, committed: ReadonlyMap<string, Parked>) {
    this.#options = options;
    this.#keys = new Map(committed);
  }

  get keys(): ReadonlyMap<string, Parked> {
    return this.#keys;
  }

  /** The parked key that a write has to wait behind: its own, or one that its row names by a foreign key. */
  blockerOf(write: Write): Parked | undefined {
    if (this.#keys.size === 0) return undefined;
    for (const key of keysOf(write)) {
      const own = this.#keys.get(keyIdOf(write.pair, key));
      if (own) return own;
    }
    return 'row' in write && write.row
      ? this.parentOf(write.pair, { ...write.row.key, ...write.row.columns })
      : undefined;
  }

  parentOf(pair: TablePair, values: Row): Parked | undefined {
    for (const parent of this.#options.parentsOf(pair, values)) {
      const found = this.#keys.get(keyIdOf(parent.pair, parent.key));
      if (found) return found;
    }
    return undefined;
  }

  /** Parks what a write wanted. Throws the error itself where nothing may be parked, and PARKING_FULL. */
  refuse(write: Write, error: unknown): void {
    if (this.#options.maxKeys === 0 && write.kind !== 'repair') throw error;
    const code = error instanceof StranglerError ? error.code : 'ROW_REFUSED';
    for (const key of keysOf(write)) this.#add(write, key, code, reasonOf(error), null);
  }

  /** Parks a write behind a key that is parked already. */
  wait(write: Write, blocker: Parked): void {
    for (const key of keysOf(write)) {
      const own = keyIdOf(write.pair, key) === blocker.id;
      this.#add(
        write,
        key,
        'PARKED_BEHIND',
        `waits behind ${blocker.table}:${blocker.shown}`,
        own ? null : blocker.id,
      );
    }
  }

  /** The key is written again from here on. */
  release(id: string): void {
    this.#keys.delete(id);
    this.#statements.push(`DELETE FROM ${this.#table('parked')} WHERE ${this.#is(id)}`);
  }

  /** As `release`, and who gave it up and why is kept. */
  discard(id: string, by: string, why: string): void {
    const { stream } = this.#options;
    this.#statements.push(
      `INSERT INTO ${this.#table('parked_discarded')} (stream, table_name, shown, events, code, problem, discarded_by, why, event) SELECT ${escape(stream)}, table_name, shown, events, code, problem, ${escape(by)}, ${escape(why)}, event FROM ${this.#table('parked')} WHERE ${this.#is(id)} AND ordinal = 0`,
    );
    this.release(id);
  }

  /** Writes what has changed into the transaction that is open. */
  async flush(connection: Connection): Promise<void> {
    for (const statement of this.#statements.splice(0)) await connection.query(statement);
  }

  #add(write: Write, key: Row, code: string, reason: string, behind: string | null): void {
    const { pair } = write;
    const id = keyIdOf(pair, key);
    const known = this.#keys.get(id);
    const now = this.#options.now();
    const isFollower = known !== undefined && code === 'PARKED_BEHIND';
    const entry: Parked = {
      id,
      table: pair.target.name,
      key,
      shown: keyShown(key),
      code: isFollower ? known.code : code,
      problem: isFollower ? known.problem : reason.slice(0, PROBLEM_LENGTH),
      behind: isFollower ? known.behind : behind,
      events: (known?.events ?? 0) + (write.change ? 1 : 0),
      firstSeen: known?.firstSeen ?? now,
      lastSeen: now,
    };
    if (!known && this.#keys.size >= this.#options.maxKeys)
      throw parkingFull(this.#options.stream, this.#options.maxKeys, `${entry.table}:${entry.shown}`, reason);
    this.#keys.set(id, entry);
    const at = (text: string) => escape(text.replace('T', ' ').replace('Z', ''));
    const ordinal = known?.events ?? 0;
    if (write.change && ordinal < EVENTS_KEPT)
      this.#statements.push(
        `INSERT INTO ${this.#table('parked')} (stream, key_id, ordinal, table_name, row_key, shown, event, code, problem, behind, events, first_seen, last_seen) VALUES (${[
          this.#options.stream,
          id,
          ordinal,
          entry.table,
          JSON.stringify(packedRow(key)),
          entry.shown,
          eventText(write.change),
          code,
          reason.slice(0, PROBLEM_LENGTH),
          behind,
        ]
          .map((value) => escape(value))
          .join(', ')}, ${entry.events}, ${at(now)}, ${at(now)})`,
      );
    if (known)
      this.#statements.push(
        `UPDATE ${this.#table('parked')} SET events = ${entry.events}, code = ${escape(entry.code)}, problem = ${escape(entry.problem)}, behind = ${escape(entry.behind)}, last_seen = ${at(now)} WHERE ${this.#is(id)} AND ordinal = 0`,
      );
  }

  #table(name: string): string {
    return quoted(this.#options.schema, name);
  }

  #is(id: string): string {
    return `stream = ${escape(this.#options.stream)} AND key_id = ${escape(id)}`;
  }
}

/** Keys of the target that a write is of. */
export const keysOf = (write: Write): readonly Row[] =>
  write.kind === 'empty'
    ? []
    : write.kind === 'upsert'
      ? [write.row.key]
      : write.kind === 'rekey'
        ? [write.from, write.row.key]
        : [write.key];
