import type { MigrationData } from '@strangler/contracts';
import { binlogSource } from './binlog-source.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { storedColumnHistory } from './column-history.js';
import type { Database } from './connect.js';

/** A stream: its name, the databases that it goes from and to, and what it carries. */
export type StreamEnds = {
  readonly name: string;
  readonly from: Database;
  readonly to: Database;
  readonly data: MigrationData;
};

/** The log of the database that a stream reads, with the columns of its past where the stream's offset is. */
export const ownLog = (
  { name, from, to, data }: StreamEnds,
  captured: readonly CapturedTable[],
): ChangeSource =>
  binlogSource({
    database: from,
    tables: captured,
    history: storedColumnHistory(to, name),
    yieldsTruncate: data.truncate === 'delete',
  });
