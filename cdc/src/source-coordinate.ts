import type { Offset } from '@strangler/contracts';
import { comparePositions, type FilePosition } from './binlog-offset.js';
import { logOffsetInvalid } from './errors.js';

/** Where a row stands in the log of its database: what Debezium publishes again after a crash comes with the same one. */
export type SourceCoordinate = FilePosition & {
  readonly row: number;
  /** A row whose key changes is published in two halves: 0 for its going, 1 for its coming and for everything else. */
  readonly half: 0 | 1;
};

export const compareCoordinates = (a: SourceCoordinate, b: SourceCoordinate): number =>
  comparePositions(a, b) || a.row - b.row || a.half - b.half;

/** Where a topic is read on, and the last row that lies before that: the one seeks, the other tells what came again. */
export type TopicOffset = {
  readonly next: bigint;
  readonly last: SourceCoordinate;
  readonly transaction: string;
};

/** `NEXT@FILE:POSITION:ROW@TRANSACTION`. */
export const topicOffsetText = ({ next, last, transaction }: TopicOffset): Offset => ({
  text: `${next}@${last.file}:${last.position}:${last.row}@${transaction}`,
});

/** Throws LOG_OFFSET_INVALID. */
export function topicOffsetOf({ text }: Offset): TopicOffset {
  const match = /^(\d+)@([^@]+):(\d+):(\d+)@(.*)$/.exec(text);
  if (!match) throw logOffsetInvalid(text);
  const [, next = '0', file = '', position, row, transaction = ''] = match;
  return {
    next: BigInt(next),
    last: { kind: 'file', file, position: Number(position), row: Number(row), half: 1 },
    transaction,
  };
}

/**
 * Whether a transaction cannot be one from before `last`: GTIDs only grow within a domain of MariaDB (`domain-server-number`) or a server of MySQL
 * (`uuid:number`). Without them nobody can tell.
 */
export function isAfter(transaction: string, last: string): boolean {
  const [mine, other] = [transaction, last].map(
    (text) => /^(\d+)-\d+-(\d+)$/.exec(text) ?? /^([0-9a-f-]{36}):(\d+)$/.exec(text),
  );
  if (!mine || !other) return false;
  if (mine[1] !== other[1]) return /^[0-9a-f-]{36}$/.test(mine[1] ?? '');
  return BigInt(mine[2] ?? 0) > BigInt(other[2] ?? 0);
}
