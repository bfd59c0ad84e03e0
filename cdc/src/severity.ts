import type { Severity } from '@strangler/contracts';

/** What does not keep sync from starting. Every other code does. */
const MILDER: Readonly<Record<string, Severity>> = {
  BACK_KEY: 'warns',
  BACK_UNFILLED: 'warns',
  CHECK_CONSTRAINT: 'tells',
  CLOCK_DIFFERS: 'warns',
  COLUMN_TIME_ZONE: 'warns',
  FOREIGN_KEY_UNCHECKED: 'tells',
  KEY_HEAD_ROOM: 'warns',
  LOCK_WAIT: 'warns',
  LOG_RETENTION_SHORT: 'warns',
  METADATA_HIDDEN: 'tells',
  PACKET_SMALLER: 'warns',
  ROWS_COLLIDE: 'warns',
  ROWS_SAMPLED: 'tells',
  ROW_CHECK_FAILS: 'warns',
  ROW_DATE_INVALID: 'warns',
  ROW_LABEL_UNKNOWN: 'warns',
  ROW_NOT_IN_CHARSET: 'warns',
  ROW_NULL: 'warns',
  ROW_OUT_OF_RANGE: 'warns',
  ROW_TOO_LONG: 'warns',
  SERVER_ID_SHARED: 'warns',
  SERVER_READ_ONLY: 'warns',
  SOURCE_NOT_TRANSACTIONAL: 'warns',
  TABLE_PARTITIONED: 'tells',
  TRANSACTION_LONG: 'warns',
  TRIGGER_ON_COPY: 'warns',
  UNIQUE_COARSER: 'warns',
  VALUE_UNMAPPED: 'warns',
  XA_PREPARED: 'warns',
};

export const severityOf = (code: string): Severity => MILDER[code] ?? 'refuses';
export const MILDER_CODES: readonly string[] = Object.keys(MILDER);
