import type { Severity } from '@strangler/contracts';

/** What does not keep sync from starting. Every other code does. */
const MILDER: Readonly<Record<string, Severity>> = {
  LOG_RETENTION_SHORT: 'warns',
  METADATA_HIDDEN: 'tells',
  PACKET_SMALLER: 'warns',
  SERVER_READ_ONLY: 'warns',
  TRANSACTION_LONG: 'warns',
  XA_PREPARED: 'warns',
};

export const severityOf = (code: string): Severity => MILDER[code] ?? 'refuses';
export const MILDER_CODES: readonly string[] = Object.keys(MILDER);
