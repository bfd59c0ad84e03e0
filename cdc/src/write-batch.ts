import { StranglerError } from '@strangler/contracts';
import { assembleRows, beginAssembling } from './assemble-rows.js';
import { compact, type MergeWrite, type ParkingWrite, type RowWrite, type Write } from './compact.js';
import { isFenced, isRetryable, isSystemic } from './database-errors.js';
import { keyIdOf, type ParkingLot } from './parking-lot.js';
import { lockMerged, type Merger, writeMerge } from './write-merge.js';
import { deleteAll, writeRow } from './write-rows.js';
import { type SetWriter, writeSet } from './write-set.js';

const ONE_BY_ONE = 8;

export type BatchWriter = SetWriter & { readonly lot: ParkingLot; readonly merger: Merger };

/** Does all writes of a batch in the transaction that is open, in an order that has the same end as theirs; what cannot be done is parked. */
export async function writeBatch(writer: BatchWriter, writes: readonly Write[]): Promise<void> {
  await lockMerged(writer.connection, writer.merger, writes);
  const assembling = await beginAssembling(writer.connection, writes);
  let rows: RowWrite[] = [];
  for (const write of writes) {
    if (isRow(write)) {
      rows.push(write);
      continue;
    }
    await writeAll(writer, rows);
    rows = [];
    if (write.kind === 'merge') await mergeOne(writer, write);
    else if (write.kind === 'empty') await deleteAll(writer.connection, write.pair);
    else await atParking(writer, write);
  }
  await writeAll(writer, rows);
  if (assembling) await assembleRows(writer, assembling);
  await writer.lot.flush(writer.connection);
  await writer.merger.journal.flush(writer.connection);
}

const isRow = (write: Write): write is RowWrite =>
  write.kind === 'upsert' || write.kind === 'rekey' || write.kind === 'delete';

async function atParking(writer: BatchWriter, write: ParkingWrite): Promise<void> {
  const { lot } = writer;
  const blocker = lot.blockerOf(write);
  if (write.kind === 'unmapped') return blocker ? lot.wait(write, blocker) : lot.refuse(write, write.error);
  const id = keyIdOf(write.pair, write.key);
  if (!lot.keys.has(id)) return;
  if (write.kind === 'discard') return lot.discard(id, write.by, write.why);
  if (write.error) return lot.refuse(write, write.error);
  const { pair, key, row } = write;
  const parent = row && lot.parentOf(pair, { ...row.key, ...row.columns });
  if (parent && parent.id !== id) return lot.wait(write, parent);
  const refusal = await (pair.merge
    ? tryTo(writer, () => writeMerge(writer.connection, writer.merger, write))
    : tryRow(writer, row ? { kind: 'upsert', pair, row } : { kind: 'delete', pair, key }));
  if (refusal) lot.refuse(write, refusal);
  else lot.release(id);
}

/**
 * All at once; where the target refuses that, in halves, and at last one by one in the order of the source, which also finds the row to
 * park. A unique value that goes from row to row within a batch is the usual reason.
 */
async function writeAll(writer: BatchWriter, all: readonly RowWrite[], depth = 0): Promise<void> {
  const { connection, lot } = writer;
  if (all.length <= ONE_BY_ONE) {
    for (const write of all) {
      const blocker = lot.blockerOf(write);
      if (blocker) {
        lot.wait(write, blocker);
        continue;
      }
      const refusal = await tryRow(writer, write);
      if (refusal) lot.refuse(write, refusal);
    }
    return;
  }
  const writes = lot.keys.size === 0 ? all : all.filter((write) => !waits(lot, write));
  const savepoint = `writes_${depth}`;
  await connection.query(`SAVEPOINT ${savepoint}`);
  try {
    for (const step of compact(writes)) await writeSet(writer, step);
  } catch (error) {
    if (isRetryable(error) || isFenced(error)) throw error;
    await connection.query(`ROLLBACK TO SAVEPOINT ${savepoint}`).catch(blame(error));
    await writer.stages.forget();
    const half = Math.ceil(writes.length / 2);
    await writeAll(writer, writes.slice(0, half), depth + 1);
    await writeAll(writer, writes.slice(half), depth + 1);
  }
}

/**
 * A refused set is tried in another way only when it could be taken back. Where the connection was lost meanwhile, that is what is wrong, and passes; else
 * the server has given the transaction up for the first error.
 */
const blame =
  (first: unknown) =>
  (second: unknown): never => {
    throw isRetryable(second) ? second : first;
  };

function waits(lot: ParkingLot, write: RowWrite): boolean {
  const blocker = lot.blockerOf(write);
  if (blocker) lot.wait(write, blocker);
  return blocker !== undefined;
}

async function mergeOne(writer: BatchWriter, write: MergeWrite): Promise<void> {
  const { connection, lot, merger } = writer;
  const blocker = lot.blockerOf(write);
  if (blocker) return lot.wait(write, blocker);
  const refusal = await tryTo(writer, () => writeMerge(connection, merger, write));
  if (refusal) lot.refuse(write, refusal);
}

const tryRow = (writer: BatchWriter, write: RowWrite): Promise<StranglerError | undefined> =>
  tryTo(writer, () => writeRow(writer.connection, write, writer.maxStatementBytes));

/** Why the target does not take a row, with nothing of it written; undefined when it does. Throws what is no fault of the row. */
async function tryTo(
  { connection }: BatchWriter,
  work: () => Promise<void>,
): Promise<StranglerError | undefined> {
  await connection.query('SAVEPOINT one_row');
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof StranglerError) || !isOfRow(error)) throw error;
    await connection.query('ROLLBACK TO SAVEPOINT one_row').catch(blame(error));
    return error;
  }
}

const isOfRow = (error: StranglerError): boolean =>
  error.code === 'CONFLICT_UNDECIDED' ||
  (error.code === 'ROW_REFUSED' && !isSystemic(error.cause) && !isFenced(error));
