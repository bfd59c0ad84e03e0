import { setTimeout as delay } from 'node:timers/promises';
import type { Offset } from '@strangler/contracts';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { isRetryable } from './database-errors.js';
import { matchedRowsUnknown, takenOver } from './errors.js';
import { quoted } from './sql.js';
import type { StopPoints } from './stop-points.js';
import { compact, type Write } from './compact.js';
import { writeBulk, writeRow } from './write-rows.js';

/** How far a table's backfill is after a batch. */
export type ProgressUpdate = {
  readonly table: string;
  readonly lastKey: string | null;
  readonly copied: number;
  readonly done: boolean;
};

/** Whole source transactions, and chunks of a backfill, that become one target transaction. */
export type Batch = {
  readonly writes: readonly Write[];
  readonly progress: readonly ProgressUpdate[];
  readonly transactions: number;
  readonly offset: Offset;
  readonly transactionId: string;
};

export type StoredOffset = { readonly offset: Offset; readonly isDropping: boolean };

export type ApplierOptions = {
  readonly target: Database;
  readonly stream: string;
  readonly stopPoints: StopPoints;
  readonly random: () => number;
  /** Told of every failure that is tried again. */
  readonly onRetry: (error: unknown) => void;
};

/**
 * `foreign_key_checks` is off while data flows (docs/adr/0005). `@strangler_apply` tells triggers of the target that a write is ours.
 */
export const APPLY_SESSION: readonly string[] = [
  "sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
  'foreign_key_checks = 0',
  'unique_checks = 1',
  'innodb_lock_wait_timeout = 10',
  '@strangler_apply = 1',
];

const MAX_BACKOFF_MS = 5_000;

/** The one writer of a stream's target: every batch moves the offset in the transaction of its rows, under a compare-and-set on the owner. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #table: string;
  #connection: Connection | undefined;
  #incarnation = 0n;
  #sequence = 0n;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#table = quoted(controlSchemaOf(options.target), 'apply_offset');
  }

  /** Becomes the owner of the stream. Undefined when nothing was ever applied; then `begin` is next. */
  async takeOver(): Promise<StoredOffset | undefined> {
    const connection = await this.#open();
    const { stream } = this.#options;
    const [claimed] = await connection.query<ResultSetHeader>(
      `UPDATE ${this.#table} SET incarnation = incarnation + 1 WHERE stream = ?`,
      [stream],
    );
    if (claimed.affectedRows === 0) return undefined;
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT incarnation, tx_seq, log_offset, dropping FROM ${this.#table} WHERE stream = ?`,
      [stream],
    );
    const row = rows[0] as RowDataPacket;
    this.#incarnation = BigInt(String(row['incarnation']));
    this.#sequence = BigInt(String(row['tx_seq']));
    // The same values again: a server or a proxy that counts changed rows answers 0, and every UPDATE would look unmatched.
    const [same] = await connection.query<ResultSetHeader>(
      `UPDATE ${this.#table} SET tx_seq = tx_seq WHERE stream = ?`,
      [stream],
    );
    if (same.affectedRows !== 1) throw matchedRowsUnknown(this.#options.target.name);
    return { offset: { text: String(row['log_offset']) }, isDropping: Number(row['dropping']) === 1 };
  }

  /** Writes the first offset; `also` runs in the same transaction. */
  async begin(offset: Offset, also: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = await this.#open();
    await connection.beginTransaction();
    await connection.query(
      `INSERT INTO ${this.#table} (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES (?, 0, 0, ?, '')`,
      [this.#options.stream, offset.text],
    );
    await also(connection);
    await connection.commit();
    await this.takeOver();
  }

  /** Applies a batch, again and again while what fails may pass. Throws STREAM_TAKEN_OVER or ROW_REFUSED; nothing of the batch is there then. */
  async apply(batch: Batch, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      let isCommitting = false;
      try {
        await unlessAborted(
          signal,
          this.#attempt(batch, () => (isCommitting = true)),
        );
        this.#sequence += BigInt(batch.transactions);
        return;
      } catch (error) {
        this.#connection?.destroy();
        this.#connection = undefined;
        if (!isRetryable(error)) throw error;
        this.#options.onRetry(error);
        await delay(
          Math.min(MAX_BACKOFF_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + this.#options.random() / 2),
          undefined,
          { signal },
        );
        // The answer to a COMMIT can be lost after the server has done it.
        if (isCommitting && (await this.#isApplied(batch, signal))) {
          this.#sequence += BigInt(batch.transactions);
          return;
        }
      }
    }
  }

  async #attempt(batch: Batch, onCommit: () => void): Promise<void> {
    const { stream, stopPoints } = this.#options;
    const connection = await this.#open();
    await connection.query('START TRANSACTION');
    const [moved] = await connection.query<ResultSetHeader>(
      `UPDATE ${this.#table} SET log_offset = ?, transaction_id = ?, tx_seq = tx_seq + ?, at = UTC_TIMESTAMP(6) WHERE stream = ? AND incarnation = ? AND tx_seq = ? AND dropping = 0`,
      [batch.offset.text, batch.transactionId, batch.transactions, stream, this.#incarnation, this.#sequence],
    );
    if (moved.affectedRows !== 1) throw takenOver(stream);
    await write(connection, batch.writes);
    for (const { table, lastKey, copied, done } of batch.progress)
      await connection.query(
        `UPDATE ${quoted(controlSchemaOf(this.#options.target), 'backfill_progress')} SET last_key = ?, copied = copied + ?, done = ? WHERE stream = ? AND table_name = ?`,
        [lastKey, copied, done ? 1 : 0, stream, table],
      );
    await stopPoints('before-commit');
    onCommit();
    await connection.query('COMMIT');
    await stopPoints('after-commit');
  }

  async #isApplied(batch: Batch, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      try {
        const connection = await this.#open();
        const [rows] = await connection.query<RowDataPacket[]>(
          `SELECT 1 FROM ${this.#table} WHERE stream = ? AND incarnation = ? AND tx_seq = ?`,
          [this.#options.stream, this.#incarnation, this.#sequence + BigInt(batch.transactions)],
        );
        return rows.length === 1;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.#connection?.destroy();
        this.#connection = undefined;
        await delay(500, undefined, { signal });
      }
    }
  }

  async #open(): Promise<Connection> {
    if (this.#connection) return this.#connection;
    const connection = await connect(this.#options.target, APPLY_SESSION);
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    return (this.#connection = connection);
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

const ONE_BY_ONE = 8;

/**
 * All at once; where the target refuses that, in halves, and at last one by one in the order of the source, which also finds the row to
 * name. A unique value that goes from row to row within a batch is the usual reason.
 */
async function write(connection: Connection, writes: readonly Write[], depth = 0): Promise<void> {
  if (writes.length <= ONE_BY_ONE) {
    for (const one of writes) await writeRow(connection, one);
    return;
  }
  const savepoint = `writes_${depth}`;
  await connection.query(`SAVEPOINT ${savepoint}`);
  try {
    for (const step of compact(writes)) await writeBulk(connection, step);
  } catch (error) {
    if (isRetryable(error)) throw error;
    await connection.query(`ROLLBACK TO SAVEPOINT ${savepoint}`).catch(() => {
      throw error;
    });
    const half = Math.ceil(writes.length / 2);
    await write(connection, writes.slice(0, half), depth + 1);
    await write(connection, writes.slice(half), depth + 1);
  }
}

/** Rejects when aborted, without waiting for a server that may not answer; the caller then destroys the connection. */
function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((done, fail) => {
    const abort = () => fail(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    void (async () => {
      try {
        done(await work);
      } catch (error) {
        fail(error);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    })();
  });
}
