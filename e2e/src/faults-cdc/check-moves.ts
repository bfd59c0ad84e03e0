import type { Connection } from 'mysql2/promise';
import { rowsOf } from './stand.js';

/** One move of the offset as a trigger wrote it down. */
export type Move = {
  readonly seqBefore: number;
  readonly seqAfter: number;
  readonly before: string;
  readonly after: string;
};

/** The last number of an offset by transaction id, `mariadb-gtid:0-1-42`: within a domain it only grows. */
const numberOf = (offset: string): number => Number(/-(\d+)$/.exec(offset)?.[1] ?? Number.NaN);

/** Every move goes on where the one before it ended, and none goes back. */
export function checkMoves(moves: readonly Move[]): readonly string[] {
  return moves.flatMap((move, index) => {
    const last = moves[index - 1];
    if (last && (last.after !== move.before || last.seqAfter !== move.seqBefore))
      return [
        `the offset moved from ${move.before} (${move.seqBefore}) although it was at ${last.after} (${last.seqAfter})`,
      ];
    if (numberOf(move.after) >= numberOf(move.before) && move.seqAfter >= move.seqBefore) return [];
    return [`the offset went from ${move.before} (${move.seqBefore}) to ${move.after} (${move.seqAfter})`];
  });
}

/** What the triggers of the target have kept: moves of the offset, rows that came twice or late. */
export async function checkHistory(target: Connection, control: string): Promise<readonly string[]> {
  const moves = await rowsOf(target, `SELECT * FROM ${control}.moved ORDER BY nr`);
  const twice = await rowsOf(target, 'SELECT id, times FROM came WHERE times <> 1 LIMIT 5');
  const late = await rowsOf(target, 'SELECT what FROM not_newer LIMIT 5');
  return [
    ...checkMoves(
      moves.map((row) => ({
        seqBefore: Number(row['seq_before']),
        seqAfter: Number(row['seq_after']),
        before: String(row['before_text']),
        after: String(row['after_text']),
      })),
    ).slice(0, 5),
    ...twice.map((row) => `posting ${String(row['id'])} was inserted ${String(row['times'])} times`),
    ...late.map((row) => String(row['what'])),
  ];
}
