import type { Connection } from 'mysql2/promise';
import { dropShadows } from './shadow-table.js';
import { quoted } from './sql.js';

/** Where the control schema of a target keeps anything of a stream but its offset. */
const BESIDE_THE_OFFSET = [
  'captured_columns',
  'backfill_progress',
  'recopy',
  'stray_writes',
  'verification',
  'drift',
  'parked',
  'conflicts',
  'seen',
  'handover',
];

/** Forgets that a stream has ever written into a target; its rows stay. The control tables must be there. */
export async function forgetStream(connection: Connection, schema: string, stream: string): Promise<void> {
  await dropShadows(connection, schema, stream);
  await connection.beginTransaction();
  for (const table of [...BESIDE_THE_OFFSET, 'apply_offset'])
    await connection.query(`DELETE FROM ${quoted(schema, table)} WHERE stream = ?`, [stream]);
  await connection.commit();
}
