import type { Severity } from '@strangler/contracts';

/** What does not keep sync from starting. Every other code does. */
const MILDER: Readonly<Record<string, Severity>> = {
  CHECK_CONSTRAINT: 'tells',
  COLUMN_TIME_ZONE: 'warns',
  FOREIGN_KEY_UNCHECKED: 'tells',
  KEY_HEAD_ROOM: 'warns',
  LOG_RETENTION_SHORT: 'warns',
  METADATA_HIDDEN: 'tells',
  PACKET_SMALLER: 'warns',
  SERVER_READ_ONLY: 'warns',
  SOURCE_NOT_TRANSACTIONAL: 'warns',
  TABLE_PARTITIONED: 'tells',
  TRANSACTION_LONG: 'warns',
  TRIGGER_ON_COPY: 'warns',
  UNIQUE_COARSER: 'warns',
  XA_PREPARED: 'warns',
};

export const severityOf = (code: string): Severity => MILDER[code] ?? 'refuses';
export const MILDER_CODES: readonly string[] = Object.keys(MILDER);
