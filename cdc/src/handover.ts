import type { Offset } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { answersTable } from './answers.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { errnoOf } from './database-errors.js';
import { handoverStale } from './errors.js';
import type { StreamEnds } from './own-log.js';
import { nameOf, sourceTablesOf } from './pair-names.js';
import { dropShadows } from './shadow-table.js';
import { quoted } from './sql.js';
import type { StopPoints } from './stop-points.js';
import { OFFSET_TABLE } from './stray-writes.js';
import { watermarkTable } from './watermark.js';

export type HandoverOptions = {
  readonly ends: StreamEnds;
  readonly epoch: number;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  /** Whether the stream leaves out what the other one has written, and so reads its offsets too. */
  readonly tellsEchoes: boolean;
  readonly stopPoints: StopPoints;
};

type Noted = { readonly epoch: number; readonly offset: Offset };

/** What a stream has found in its target of an earlier time, when rows went the other way, and which says nothing any more. */
const OUTLIVED = ['parked', 'drift', 'verification', 'recopy', 'stray_writes', 'seen', 'backfill_progress'];

/**
 * Notes in a stream's target that it begins where the log of its source stands now, with the columns of its tables there and nothing left to copy but what rows are put together from. Asked again for the
 * same epoch it answers what was noted. Whoever still ran the stream is no longer its owner. Throws HANDOVER_STALE for an older epoch.
 */
export async function noteHandover(options: HandoverOptions): Promise<Offset> {
  const { ends, epoch, sourceOf, tellsEchoes, stopPoints } = options;
  const { name, from, to, data } = ends;
  const schema = controlSchemaOf(to);
  const [source, target] = await Promise.all([connect(from), connect(to)]);
  try {
    await ensureTables(source, controlSchemaOf(from), SOURCE_TABLES);
    if (tellsEchoes) await ensureTables(source, controlSchemaOf(from), TARGET_TABLES);
    await ensureTables(target, schema, TARGET_TABLES);
    const known = notedFor(epoch, name, await readNoted(target, schema, name));
    if (known) return known;
    // They hold rows of the time when the stream last ran.
    await dropShadows(target, schema, name);
    const offset = await sourceOf(capturedOf(ends, tellsEchoes)).now();
    await stopPoints('handover-taken');
    await target.beginTransaction();
    const other = notedFor(epoch, name, await readNoted(target, schema, name, 'FOR UPDATE'));
    if (other) return other;
    for (const table of OUTLIVED)
      await target.query(`DELETE FROM ${quoted(schema, table)} WHERE stream = ?`, [name]);
    await target.query(
      `INSERT INTO ${quoted(schema, 'backfill_progress')} (stream, table_name, done) VALUES ?`,
      [data.tables.map((mapping) => [name, nameOf(data, mapping), 1])],
    );
    // Another count too, for an owner whose answer to a COMMIT is still on its way.
    await target.query(
      `INSERT INTO ${quoted(schema, OFFSET_TABLE)} (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES (?, 1, 0, ?, '')
         ON DUPLICATE KEY UPDATE incarnation = incarnation + 1, tx_seq = tx_seq + 1, log_offset = VALUES(log_offset), transaction_id = '', dropping = 0`,
      [name, offset.text],
    );
    await target.query(
      `REPLACE INTO ${quoted(schema, 'handover')} (stream, epoch, log_offset) VALUES (?, ?, ?)`,
      [name, epoch, offset.text],
    );
    await target.commit();
    await stopPoints('handover-noted');
    return offset;
  } finally {
    source.destroy();
    target.destroy();
  }
}

/** Ends whoever still runs the other stream of a migration, where this one was handed over to after it. Answers whether the other one has ever begun. */
export async function endOther(own: StreamEnds, other: StreamEnds): Promise<boolean> {
  const [mine, theirs] = await Promise.all([epochOf(own.to, own.name), epochOf(other.to, other.name)]);
  const connection = await connect(other.to);
  try {
    const table = quoted(controlSchemaOf(other.to), OFFSET_TABLE);
    if (mine > theirs)
      await connection.query(`UPDATE ${table} SET incarnation = incarnation + 1 WHERE stream = ?`, [
        other.name,
      ]);
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT 1 FROM ${table} WHERE stream = ?`, [
      other.name,
    ]);
    return rows.length > 0;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  } finally {
    connection.destroy();
  }
}

/** The epoch of the newest handover to a stream; 0 when there was none. */
export async function epochOf(target: Database, stream: string): Promise<number> {
  const connection = await connect(target);
  try {
    return (await readNoted(connection, controlSchemaOf(target), stream))?.epoch ?? 0;
  } catch (error) {
    if (isNotThere(error)) return 0;
    throw error;
  } finally {
    connection.destroy();
  }
}

async function readNoted(
  connection: Connection,
  schema: string,
  stream: string,
  lock = '',
): Promise<Noted | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT epoch, log_offset FROM ${quoted(schema, 'handover')} WHERE stream = ? ${lock}`,
    [stream],
  );
  return rows[0] && { epoch: Number(rows[0]['epoch']), offset: { text: String(rows[0]['log_offset']) } };
}

function notedFor(epoch: number, stream: string, noted: Noted | undefined): Offset | undefined {
  if (noted && noted.epoch > epoch) throw handoverStale(stream, epoch, noted.epoch);
  return noted?.epoch === epoch ? noted.offset : undefined;
}

/** Before the first start there are no control tables; an account that may not read them has never written them, and is told so where there are none, too. */
const isNotThere = (error: unknown): boolean => [1146, 1049, 1142, 1143, 1044].includes(errnoOf(error));

/** Everything that the flow will read of the log, by name. */
function capturedOf({ from, data }: StreamEnds, tellsEchoes: boolean): readonly CapturedTable[] {
  const schema = controlSchemaOf(from);
  return [
    ...[...new Set(data.tables.flatMap(sourceTablesOf))].map((table) => ({
      database: from.schema,
      table,
      columns: [],
    })),
    watermarkTable(schema),
    ...(tellsEchoes
      ? [{ database: schema, table: OFFSET_TABLE, columns: ['stream', 'log_offset'] }, answersTable(schema)]
      : []),
  ];
}
