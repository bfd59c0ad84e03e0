import type { Offset } from '@strangler/contracts';
import { logOffsetInvalid } from './errors.js';

/** A position in the log of a server: file name and the byte behind the last transaction that was read. */
export type LogPosition = { readonly file: string; readonly position: number };

export const offsetOf = ({ file, position }: LogPosition): Offset => ({ text: `${file}:${position}` });

/** Throws LOG_OFFSET_INVALID. */
export function positionOf(offset: Offset): LogPosition {
  const match = /^(.+):(\d+)$/.exec(offset.text);
  if (!match) throw logOffsetInvalid(offset.text);
  return { file: match[1] as string, position: Number(match[2]) };
}

const fileNumber = (file: string): number => Number(/\d+$/.exec(file)?.[0] ?? 0);

/** Negative when `a` is before `b`. File numbers only grow on one server, also past six digits. */
export const comparePositions = (a: LogPosition, b: LogPosition): number =>
  fileNumber(a.file) - fileNumber(b.file) || a.position - b.position;
