import type { Offset } from '@strangler/contracts';
import { logOffsetInvalid } from './errors.js';
import { type GtidSet, gtidText, includesGtids, parseGtids } from './gtid-set.js';

/** The byte behind the last transaction that was read, in a log file of one server. */
export type FilePosition = { readonly kind: 'file'; readonly file: string; readonly position: number };
/** All transactions that were read, by ids that mean the same on every server that has them. */
export type GtidPosition = { readonly kind: 'gtid'; readonly executed: GtidSet };
/** A place between two transactions of a log. One stream has places of one kind only. */
export type LogPosition = FilePosition | GtidPosition;

/** What the column that keeps offsets can hold. */
const LONGEST = 4_000;

/** The text says which kind it is: `binlog.000001:4`, `mysql-gtid:…` or `mariadb-gtid:…`. Throws LOG_OFFSET_INVALID when it cannot be kept. */
export function offsetOf(position: LogPosition): Offset {
  const text =
    position.kind === 'file'
      ? `${position.file}:${position.position}`
      : `${position.executed.engine}-gtid:${gtidText(position.executed)}`;
  if (text.length > LONGEST) throw logOffsetInvalid(`${text.slice(0, 100)}…`);
  return { text };
}

/** Throws LOG_OFFSET_INVALID. */
export function positionOf(offset: Offset): LogPosition {
  const byGtid = /^(mysql|mariadb)-gtid:(.*)$/s.exec(offset.text);
  if (byGtid) {
    const executed = parseGtids(byGtid[1] as GtidSet['engine'], byGtid[2] as string);
    if (!executed) throw logOffsetInvalid(offset.text);
    return { kind: 'gtid', executed };
  }
  const match = /^(.+):(\d+)$/.exec(offset.text);
  if (!match) throw logOffsetInvalid(offset.text);
  return { kind: 'file', file: match[1] as string, position: Number(match[2]) };
}

const fileNumber = (file: string): number => Number(/\d+$/.exec(file)?.[0] ?? 0);

/** Below zero: `a` is before `b`. File numbers only grow on one server, also past six digits. */
export const comparePositions = (a: FilePosition, b: FilePosition): number =>
  fileNumber(a.file) - fileNumber(b.file) || a.position - b.position;

/** Whether `a` is `b` or before it. */
export function isUpTo(a: LogPosition, b: LogPosition): boolean {
  if (a.kind === 'gtid') return b.kind === 'gtid' && includesGtids(b.executed, a.executed);
  return b.kind === 'file' && comparePositions(a, b) <= 0;
}
