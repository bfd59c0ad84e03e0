import { setTimeout as delay } from 'node:timers/promises';
import type { ConflictCount, Offset } from '@strangler/contracts';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { isRetryable } from './database-errors.js';
import type { Write } from './compact.js';
import { ConflictJournal } from './conflict-journal.js';
import { applyInterrupted, matchedRowsUnknown, takenOver } from './errors.js';
import { type Parked, type ParentsOf, ParkingLot, readParked } from './parking-lot.js';
import { writeProgress } from './progress.js';
import type { OwnWrites } from './own-writes.js';
import { keepSeen } from './seen.js';
import { quoted } from './sql.js';
import { createStages, type Stages } from './stages.js';
import type { StopPoints } from './stop-points.js';
import type { TablePair } from './table-pair.js';
import { writeBatch } from './write-batch.js';

/** How far a table's backfill is after a batch. */
export type ProgressUpdate = {
  readonly table: string;
  readonly lastKey: string | null;
  readonly copied: number;
  readonly done: boolean;
  /** Set for a table that is copied again: the pass that goes on, and the rows that were removed. */
  readonly again?: { readonly pass: number; readonly removed: number };
};

/** Whole source transactions, and chunks of a backfill, that become one target transaction. */
export type Batch = {
  readonly writes: readonly Write[];
  readonly progress: readonly ProgressUpdate[];
  readonly transactions: number;
  readonly offset: Offset;
  readonly transactionId: string;
  /** How far the other stream had carried the target's log, where that has to be remembered. */
  readonly seen?: Offset | undefined;
  /** True: the next batch goes on in the same target transaction, because it begins within a source transaction. */
  readonly isContinued?: boolean;
};

export type StoredOffset = { readonly offset: Offset; readonly isDropping: boolean };

export type ApplierOptions = {
  readonly target: Database;
  readonly stream: string;
  readonly stopPoints: StopPoints;
  readonly random: () => number;
  /** Told of every failure that is tried again. */
  readonly onRetry: (error: unknown) => void;
  /** Keys that may be parked; at 0 the first row that is refused ends the flow. */
  readonly maxParkedKeys: number;
  readonly parentsOf: ParentsOf;
  readonly clock: () => number;
  readonly locksGaps?: boolean;
  /** Asked for what the target's own writers have done; undefined where no other stream runs. */
  readonly own?: () => OwnWrites | undefined;
  /** Told of conflicts when they are committed. */
  readonly onConflicts?: (conflicts: readonly ConflictCount[]) => void;
};

/**
 * `foreign_key_checks` is off while data flows (docs/adr/0005). `@strangler_apply` tells triggers of the target that a write is ours.
 */
export const APPLY_SESSION: readonly string[] = [
  "sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
  'foreign_key_checks = 0',
  'unique_checks = 1',
  'innodb_lock_wait_timeout = 10',
  // A list that is put together is cut at a kibibyte otherwise.
  'group_concat_max_len = 1073741824',
  '@strangler_apply = 1',
];

const MAX_BACKOFF_MS = 5_000;

/** The one writer of a stream's target: every batch moves the offset in the transaction of its rows, under a compare-and-set on the owner. */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #table: string;
  #connection: Connection | undefined;
  #stages: Stages | undefined;
  #maxStatementBytes = 0;
  readonly #filled = new Set<TablePair>();
  #incarnation = 0n;
  #sequence = 0n;
  #parked: ReadonlyMap<string, Parked> = new Map();
  /** The target transaction that batches before have begun, and how many source transactions end in it so far. */
  #open:
    | { readonly lot: ParkingLot; readonly journal: ConflictJournal; readonly transactions: number }
    | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#table = quoted(controlSchemaOf(options.target), 'apply_offset');
  }

  /** Becomes the owner of the stream. Undefined when nothing was ever applied; then `begin` is next. */
  async takeOver(): Promise<StoredOffset | undefined> {
    const connection = await this.#connect();
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
    this.#parked = await readParked(connection, controlSchemaOf(this.#options.target), stream);
    return { offset: { text: String(row['log_offset']) }, isDropping: Number(row['dropping']) === 1 };
  }

  /** Writes the first offset; `also` runs in the same transaction. */
  async begin(offset: Offset, also: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = await this.#connect();
    await connection.beginTransaction();
    await connection.query(
      `INSERT INTO ${this.#table} (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES (?, 0, 0, ?, '')`,
      [this.#options.stream, offset.text],
    );
    await also(connection);
    await connection.commit();
    await this.takeOver();
  }

  /** Keys that are parked, as committed. */
  get parked(): ReadonlyMap<string, Parked> {
    return this.#parked;
  }

  /**
   * Applies a batch, again and again while what fails may pass. Throws STREAM_TAKEN_OVER, PARKING_FULL, ROW_REFUSED where nothing may be parked, and
   * APPLY_INTERRUPTED when batches before it are lost with it; nothing of the batch is there then.
   */
  async apply(batch: Batch, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const begun = this.#open;
      const transactions = (begun?.transactions ?? 0) + batch.transactions;
      const lot = begun?.lot ?? this.#newLot();
      const journal =
        begun?.journal ?? new ConflictJournal(controlSchemaOf(this.#options.target), this.#options.stream);
      let isCommitting = false;
      const isDone = () => {
        this.#open = undefined;
        this.#sequence += BigInt(transactions);
        this.#parked = lot.keys;
        if (journal.counts().length > 0) this.#options.onConflicts?.(journal.counts());
      };
      try {
        await unlessAborted(
          signal,
          this.#attempt(batch, lot, journal, () => (isCommitting = true)),
        );
        if (batch.isContinued) this.#open = { lot, journal, transactions };
        else isDone();
        return;
      } catch (error) {
        this.close();
        if (!isRetryable(error)) throw error;
        this.#options.onRetry(error);
        await delay(
          Math.min(MAX_BACKOFF_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + this.#options.random() / 2),
          undefined,
          { signal },
        );
        // The answer to a COMMIT can be lost after the server has done it.
        if (isCommitting && (await this.#isApplied(transactions, signal))) return isDone();
        if (begun) throw applyInterrupted(this.#options.stream, error);
      }
    }
  }

  #newLot(): ParkingLot {
    const { stream, target, maxParkedKeys, parentsOf, clock } = this.#options;
    return new ParkingLot(
      {
        stream,
        schema: controlSchemaOf(target),
        maxKeys: maxParkedKeys,
        parentsOf,
        now: () => new Date(clock()).toISOString(),
      },
      this.#parked,
    );
  }

  async #attempt(
    batch: Batch,
    lot: ParkingLot,
    journal: ConflictJournal,
    onCommit: () => void,
  ): Promise<void> {
    const { stream, stopPoints } = this.#options;
    const connection = await this.#connect();
    const stages = this.#stages as Stages;
    const before = this.#sequence + BigInt(this.#open?.transactions ?? 0);
    if (!this.#open) await connection.query('START TRANSACTION');
    const [moved] = await connection.query<ResultSetHeader>(
      `UPDATE ${this.#table} SET log_offset = ?, transaction_id = ?, tx_seq = tx_seq + ?, at = UTC_TIMESTAMP(6) WHERE stream = ? AND incarnation = ? AND tx_seq = ? AND dropping = 0`,
      [batch.offset.text, batch.transactionId, batch.transactions, stream, this.#incarnation, before],
    );
    if (moved.affectedRows !== 1) throw takenOver(stream);
    const schema = controlSchemaOf(this.#options.target);
    const merger = { stream, schema, journal, own: this.#options.own?.() };
    const maxStatementBytes = this.#maxStatementBytes;
    const filled = this.#filled;
    await writeBatch({ connection, stages, lot, merger, maxStatementBytes, filled }, batch.writes);
    if (batch.seen) await keepSeen(connection, schema, stream, batch.seen);
    for (const update of batch.progress)
      await writeProgress(connection, this.#options.target, stream, update);
    if (batch.isContinued) return;
    await stopPoints('before-commit');
    onCommit();
    await connection.query('COMMIT');
    await stopPoints('after-commit');
  }

  async #isApplied(transactions: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      try {
        const connection = await this.#connect();
        const [rows] = await connection.query<RowDataPacket[]>(
          `SELECT 1 FROM ${this.#table} WHERE stream = ? AND incarnation = ? AND tx_seq = ?`,
          [this.#options.stream, this.#incarnation, this.#sequence + BigInt(transactions)],
        );
        return rows.length === 1;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.close();
        await delay(500, undefined, { signal });
      }
    }
  }

  async #connect(): Promise<Connection> {
    if (this.#connection) return this.#connection;
    const connection = await connect(this.#options.target, APPLY_SESSION);
    // Rows that both sides write are locked where they are not there, too.
    const level = this.#options.locksGaps ? 'REPEATABLE READ' : 'READ COMMITTED';
    await connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
    const [limits] = await connection.query<RowDataPacket[]>('SELECT @@max_allowed_packet bytes');
    this.#maxStatementBytes = Number(limits[0]?.['bytes']);
    this.#stages = createStages(connection, controlSchemaOf(this.#options.target));
    return (this.#connection = connection);
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#open = undefined;
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
