import type { ChangeEvent } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import type { CapturedTable } from './change-source.js';
import { quoted } from './sql.js';

export const WATERMARK_KINDS = ['heartbeat', 'low', 'high', 'verify'] as const;
export type WatermarkKind = (typeof WATERMARK_KINDS)[number];

/** A row that we write into the source, to meet it again in its log: everything committed before it comes before it there. */
export type Watermark = {
  readonly kind: WatermarkKind;
  readonly token: string;
  /** By the clock of the writer, whole milliseconds; taken before the row was written. */ readonly at: number;
};

const TABLE = 'watermark';
export const watermarkTable = (schema: string): CapturedTable => ({
  database: schema,
  table: TABLE,
  columns: ['stream', 'kind', 'token', 'at'],
});

export async function writeWatermark(
  connection: Connection,
  schema: string,
  stream: string,
  { kind, token, at }: Watermark,
): Promise<void> {
  const moment = new Date(at).toISOString().replace('T', ' ').replace('Z', '');
  await connection.query(
    `INSERT INTO ${quoted(schema, TABLE)} (stream, seq, kind, token, at) VALUES (?, 1, ?, ?, ?)
       ON DUPLICATE KEY UPDATE seq = seq + 1, kind = VALUES(kind), token = VALUES(token), at = VALUES(at)`,
    [stream, kind, token, moment],
  );
}

/** The watermark of this stream that a change is, if it is one. */
export function watermarkOf(change: ChangeEvent, schema: string, stream: string): Watermark | undefined {
  if (change.table !== TABLE || change.database !== schema || change.after?.['stream'] !== stream)
    return undefined;
  const { kind, token, at } = change.after;
  return {
    kind: String(kind) as WatermarkKind,
    token: String(token),
    at: Date.parse(`${String(at).replace(' ', 'T')}Z`),
  };
}
