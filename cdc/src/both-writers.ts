import type { Connection } from 'mysql2/promise';
import { binlogSource } from './binlog-source.js';
import { offsetOf } from './binlog-offset.js';
import { controlSchemaOf, type Database } from './connect.js';
import { logEnd } from './log-end.js';
import { createOwnWrites, type OwnWrites } from './own-writes.js';
import { readApplied, readSeen } from './seen.js';
import type { TablePair } from './table-pair.js';

export type BothWriters = {
  readonly stream: string;
  /** The stream that writes into the source; left out: none does. */
  readonly echoesOf?: string;
  readonly from: Database;
  readonly to: Database;
  readonly source: Connection;
  readonly open: (database: Database) => Promise<Connection>;
  readonly pairs: readonly TablePair[];
};

/** What is done in the target by its own writers, for tables that both sides write; undefined when nothing has to be known of it. */
export async function ownWritesIn(options: BothWriters): Promise<OwnWrites | undefined> {
  const { stream, echoesOf, from, to, source } = options;
  const pairs = options.pairs.filter(({ merge }) => merge !== undefined);
  if (pairs.length === 0 || echoesOf === undefined) return undefined;
  const connection = await options.open(to);
  const schema = controlSchemaOf(to);
  const start =
    (await readSeen(connection, schema, stream)) ??
    (await readApplied(source, controlSchemaOf(from), echoesOf)) ??
    // The other stream has carried nothing yet, so nobody has seen what is written from here on.
    offsetOf(await logEnd(connection));
  return createOwnWrites({
    stream,
    schema,
    pairs,
    connection,
    from: start,
    sourceOf: (tables) => binlogSource({ database: to, tables }),
  });
}
