import { createHash } from 'node:crypto';
import type { Row } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Difference } from './compare-rows.js';
import { controlSchemaOf, type Database } from './connect.js';
import { parseKey, printKey } from './key-text.js';
import { keyIdOf } from './parking-lot.js';
import { quoted } from './sql.js';
import type { TablePair } from './table-pair.js';
import type { KeptProgress } from './verification-progress.js';

/** Differing rows that are kept of one stream; more are counted. */
export const MOST_KEPT = 10_000;
const MOST_TEXT = 1_000;

/** A row of the copy that differs, as the target keeps it until it is repaired or found equal. */
export type KeptDrift = Difference & { readonly pair: TablePair; readonly id: string; readonly rowKey: Row };

/** What a verification has to remember in the target. */
export type DriftStore = {
  /** Of a verification that was broken off, of the same mappings. */
  unfinished(): Promise<{ readonly startedAt: string; readonly progress: KeptProgress } | undefined>;
  /** Forgets what the one before has found. */
  begin(startedAt: string): Promise<void>;
  keep(progress: KeptProgress, finishedAt?: string): Promise<void>;
  /** In place of what was known of the key; nothing when it is equal. */
  settle(pair: TablePair, key: Row, differences: readonly Difference[]): Promise<void>;
  read(limit: number): Promise<readonly KeptDrift[]>;
  count(): Promise<number>;
};

const isoOf = (text: string) => `${text.replace(' ', 'T')}Z`;
const dateTimeOf = (iso: string) => iso.replace('T', ' ').replace('Z', '');
/** Several mappings may read one table, or write one. */
const mappingOf = ({ source, target }: TablePair) => `${source.name}>${target.name}`;
const keyNames = (pair: TablePair) => pair.map.keyNames;

/** A verification goes on only by the mappings that it began with. */
const planOf = (pairs: readonly TablePair[]): string =>
  createHash('sha256')
    .update(JSON.stringify(pairs.map(({ map, source, target }) => [map.mapping, source, target])))
    .digest('hex')
    .slice(0, 32);

export function driftStore(
  connection: Connection,
  target: Database,
  stream: string,
  pairs: readonly TablePair[],
  clock: () => number,
): DriftStore {
  const [verification, drift] = ['verification', 'drift'].map((name) =>
    quoted(controlSchemaOf(target), name),
  ) as [string, string];
  const plan = planOf(pairs);
  let kept: number | undefined;
  const count = async (): Promise<number> => {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT COUNT(*) total FROM ${drift} WHERE stream = ?`,
      [stream],
    );
    return Number(rows[0]?.['total']);
  };
  return {
    async unfinished() {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT progress, started_at FROM ${verification} WHERE stream = ? AND plan = ? AND finished_at IS NULL`,
        [stream, plan],
      );
      const row = rows[0];
      return row
        ? {
            startedAt: isoOf(String(row['started_at'])),
            progress: JSON.parse(String(row['progress'])) as KeptProgress,
          }
        : undefined;
    },
    async begin(startedAt) {
      await connection.query(`DELETE FROM ${drift} WHERE stream = ?`, [stream]);
      await connection.query(
        `REPLACE INTO ${verification} (stream, plan, progress, started_at) VALUES (?, ?, ?, ?)`,
        [
          stream,
          plan,
          JSON.stringify({ place: { pair: 0, pass: 0, lastKey: null }, tallies: [] } satisfies KeptProgress),
          dateTimeOf(startedAt),
        ],
      );
    },
    async keep(progress, finishedAt) {
      await connection.query(`UPDATE ${verification} SET progress = ?, finished_at = ? WHERE stream = ?`, [
        JSON.stringify(progress),
        finishedAt === undefined ? null : dateTimeOf(finishedAt),
        stream,
      ]);
    },
    async settle(pair, key, differences) {
      const id = keyIdOf(pair, key);
      kept ??= await count();
      if (kept > 0)
        await connection.query(`DELETE FROM ${drift} WHERE stream = ? AND mapping = ? AND key_id = ?`, [
          stream,
          mappingOf(pair),
          id,
        ]);
      if (differences.length === 0 || kept >= MOST_KEPT) return;
      const now = dateTimeOf(new Date(clock()).toISOString());
      const rows = differences
        .slice(0, MOST_KEPT - kept)
        .map(({ table, kind, key: shown, difference }, ordinal) => [
          stream,
          mappingOf(pair),
          id,
          ordinal,
          printKey(key, keyNames(pair)),
          table,
          kind,
          shown.slice(0, MOST_TEXT),
          difference.slice(0, MOST_TEXT),
          now,
        ]);
      await connection.query(
        `INSERT INTO ${drift} (stream, mapping, key_id, ordinal, row_key, table_name, kind, shown, difference, found_at) VALUES ?`,
        [rows],
      );
      kept += rows.length;
    },
    async read(limit) {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT * FROM ${drift} WHERE stream = ? ORDER BY mapping, key_id, ordinal LIMIT ${limit}`,
        [stream],
      );
      return rows.flatMap((row) => {
        const pair = pairs.find((each) => mappingOf(each) === row['mapping']);
        return pair
          ? [
              {
                pair,
                id: String(row['key_id']),
                rowKey: parseKey(String(row['row_key']), keyNames(pair), pair.target),
                table: String(row['table_name']),
                kind: String(row['kind']) as Difference['kind'],
                key: String(row['shown']),
                difference: String(row['difference']),
              },
            ]
          : [];
      });
    },
    count,
  };
}
