import type { ConflictCount, KeptConflict, Row } from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { keyShown } from './map.js';
import type { Winner } from './merge-row.js';
import { packedText } from './parking-lot.js';
import { quoted } from './sql.js';
import type { TablePair } from './table-pair.js';

/** Conflicts that are kept; of all streams of a target together. */
const KEPT = 1_000;
/** Of both images together: longer ones are left out. */
const LETTERS_KEPT = 60_000;

export type Conflict = {
  readonly pair: TablePair;
  readonly key: Row;
  readonly policy: string;
  readonly winner: Winner;
  /** As the source has it, and as the target had it; null: no row. */
  readonly source: Row | null;
  readonly target: Row | null;
};

/** Takes down conflicts in the transaction in which they are settled. */
export class ConflictJournal {
  readonly #schema: string;
  readonly #stream: string;
  readonly #statements: string[] = [];
  readonly #counts = new Map<string, ConflictCount>();

  constructor(schema: string, stream: string) {
    this.#schema = schema;
    this.#stream = stream;
  }

  add({ pair, key, policy, winner, source, target }: Conflict): void {
    const table = pair.target.name;
    const id = `${table} ${policy} ${winner}`;
    const count = (this.#counts.get(id)?.count ?? 0) + 1;
    this.#counts.set(id, { table, policy, winner, count });
    const [theirs, ours] = [packedText(source), packedText(target)];
    const isLong = theirs.length + ours.length > LETTERS_KEPT;
    const values = [
      this.#stream,
      table,
      keyShown(key),
      policy,
      winner,
      isLong ? null : theirs,
      isLong ? null : ours,
    ].map((value) => escape(value));
    this.#statements.push(
      `INSERT INTO ${this.#table()} (stream, table_name, shown, policy, winner, source_row, target_row) VALUES (${values.join(', ')})`,
    );
  }

  /** Writes what was added since the last time into the transaction that is open. */
  async flush(connection: Connection): Promise<void> {
    const statements = this.#statements.splice(0);
    if (statements.length === 0) return;
    for (const statement of statements.slice(-KEPT)) await connection.query(statement);
    await connection.query(
      `DELETE FROM ${this.#table()} WHERE id <= CAST(LAST_INSERT_ID() AS SIGNED) - ${KEPT}`,
    );
  }

  /** All that was added, flushed or not. */
  counts(): readonly ConflictCount[] {
    return [...this.#counts.values()];
  }

  #table(): string {
    return quoted(this.#schema, 'conflicts');
  }
}

/** Both added up. */
export function addedUp(a: readonly ConflictCount[], b: readonly ConflictCount[]): readonly ConflictCount[] {
  const sums = new Map<string, ConflictCount>();
  for (const each of [...a, ...b]) {
    const id = `${each.table} ${each.policy} ${each.winner}`;
    sums.set(id, { ...each, count: (sums.get(id)?.count ?? 0) + each.count });
  }
  return [...sums.values()];
}

/** The newest conflicts of a stream, newest first. */
export async function readConflicts(
  connection: Connection,
  schema: string,
  stream: string,
  limit = 100,
): Promise<readonly KeptConflict[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT table_name, shown, policy, winner, source_row, target_row, DATE_FORMAT(at, '%Y-%m-%dT%H:%i:%s.%fZ') at FROM ${quoted(schema, 'conflicts')} WHERE stream = ? ORDER BY id DESC LIMIT ${limit}`,
    [stream],
  );
  const image = (text: unknown): unknown => (typeof text === 'string' ? JSON.parse(text) : null);
  return rows.map((row) => ({
    table: String(row['table_name']),
    key: String(row['shown']),
    policy: String(row['policy']),
    winner: String(row['winner']),
    source: image(row['source_row']),
    target: image(row['target_row']),
    at: String(row['at']),
  }));
}
