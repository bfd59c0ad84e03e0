import type { Row, Value } from '@strangler/contracts';
import type { MappedRow } from './map.js';
import type { MergeRules } from './merge-rules.js';

/** What the target's own writers have done to a key that the writer of a change had not seen. */
export type Unseen = {
  /** Whether they have made or removed the row, or written a column that stands together with others. */
  readonly isRow: boolean;
  /** Columns that are added to: what they have added, as `(to)-(from)`. */
  readonly added: Readonly<Record<string, readonly string[]>>;
  /** Columns that the target owns: what they have last written. */
  readonly owned: Row;
  /** The version of the row that they have removed last. */
  readonly removed?: bigint;
};

/** A change that meets a row of the target. */
export type Meeting = {
  readonly rules: MergeRules;
  /** As the source had the row before; undefined: nobody knows, because it was read and not logged. */
  readonly before: MappedRow | null | undefined;
  readonly after: MappedRow | null;
  /** Locked. */
  readonly current: Row | undefined;
  readonly unseen: Unseen;
  /** Somebody has decided that the source wins. */
  readonly isForced?: boolean;
  /** The source says again what it has, because the target has written what is not its own. */
  readonly isAnswer?: boolean;
};

export type Winner = 'source' | 'target' | 'nobody';
/** Values to write; an additive column in an UPDATE has what is added, in an INSERT terms of a sum. */
export type Merged = {
  readonly write: 'insert' | 'update' | 'delete' | 'none';
  readonly values: Row;
  readonly sums: Readonly<Record<string, string>>;
  readonly conflict?: { readonly policy: string; readonly winner: Winner };
  /** The source has written what the target owns and has to be told. */
  readonly isTrespass: boolean;
};

const NOTHING: Merged = { write: 'none', values: {}, sums: {}, isTrespass: false };

/**
 * What becomes of a row that both sides write. Three things are brought together, each by itself: whether the row is there with the columns that stand together,
 * which goes by the policy; sums, which take all that is added on either side; columns that one side owns. Pure.
 */
export function mergeRow(meeting: Meeting): Merged {
  const { rules, before, after, current, unseen } = meeting;
  if (meeting.isAnswer) return answered(meeting);
  const isState = before === undefined;
  const isRowChange =
    isState ||
    before === null ||
    after === null ||
    !rules.isSame(before.columns, after.columns, rules.together);
  const isEqual =
    after === null
      ? current === undefined
      : current !== undefined && rules.isSame(after.columns, current, rules.together);
  // What was read and not logged says nothing against a write that is on its way to the source, which will answer in its log.
  const isDecided = isRowChange && !(isState && unseen.isRow && meeting.isForced !== true);
  const isConflict = isRowChange && !isState && unseen.isRow && !isEqual;
  const winner: Winner = !isConflict
    ? isDecided
      ? 'source'
      : 'target'
    : rules.policy === 'manual'
      ? 'nobody'
      : rules.policy === 'version'
        ? byVersion(meeting)
        : rules.authority;
  const conflict = isConflict ? { conflict: { policy: rules.policy, winner } } : {};
  if (winner === 'nobody') return { ...NOTHING, ...conflict };

  if (after === null) {
    const isDeleted = winner === 'source' && current !== undefined;
    return { ...NOTHING, ...conflict, write: isDeleted ? 'delete' : 'none' };
  }
  if (current === undefined) {
    if (winner === 'target' || !isRowChange) return { ...NOTHING, ...conflict };
    // What is on its way to the source is in none of the images that come from there.
    const sums = Object.fromEntries(
      rules.additive.map((name) => [
        name,
        [numberOf(after.columns[name]), ...(unseen.added[name] ?? [])].join('+'),
      ]),
    );
    const { columns } = after;
    return { ...NOTHING, ...conflict, write: 'insert', values: { ...columns, ...unseen.owned }, sums };
  }

  const changed = (name: string) =>
    before === undefined || before === null || !rules.isSame(before.columns, after.columns, [name]);
  // The source refuses a removal that conflicts. So a row that was removed here and made again goes on from what the source has, and what is on its way there.
  const isTaken = isState
    ? !unseen.isRow || meeting.isForced === true
    : isRowChange && unseen.isRow && rules.authority === 'source';
  const values: Record<string, Value> = {};
  const sums: Record<string, string> = {};
  if (winner === 'source' && isRowChange && !isEqual)
    for (const name of rules.together) values[name] = after.columns[name] ?? null;
  for (const name of rules.ownedBySource)
    if (isTaken || changed(name)) values[name] = after.columns[name] ?? null;
  for (const name of rules.additive) {
    const terms = [numberOf(after.columns[name]), ...(unseen.added[name] ?? [])];
    if (isTaken) sums[name] = `${terms.join('+')}-${numberOf(current[name])}`;
    else if (!isState && changed(name)) sums[name] = `${terms[0]}-${numberOf(before?.columns[name])}`;
  }
  const isTrespass =
    before !== undefined &&
    before !== null &&
    rules.ownedByTarget.some((name) => changed(name) && !rules.isSame(after.columns, current, [name]));
  const isWritten = Object.keys(values).length + Object.keys(sums).length > 0;
  return {
    ...(isTrespass ? { conflict: { policy: 'column-owner', winner: 'target' as const } } : {}),
    ...conflict,
    write: isWritten ? 'update' : 'none',
    values,
    sums,
    isTrespass,
  };
}

function answered({ rules, after, current }: Meeting): Merged {
  if (!after || !current) return NOTHING;
  const wrong = rules.ownedBySource.filter((name) => !rules.isSame(after.columns, current, [name]));
  const values = Object.fromEntries(wrong.map((name) => [name, after.columns[name] ?? null]));
  return { ...NOTHING, write: wrong.length === 0 ? 'none' : 'update', values };
}

/** A removal counts as a little more than the version it has removed, and a row that nobody here has removed as none at all. */
function byVersion({ rules, before, after, current, unseen }: Meeting): 'source' | 'target' {
  const versionOf = (row: Row): bigint => 2n * BigInt(String(row[rules.version ?? ''] ?? 0));
  const theirs = after ? versionOf(after.columns) : before ? versionOf(before.columns) + 1n : 0n;
  const ours = current ? versionOf(current) : unseen.removed === undefined ? -1n : 2n * unseen.removed + 1n;
  if (theirs === ours) return rules.authority;
  return theirs > ours ? 'source' : 'target';
}

/** A number as a term of a sum; what is no number counts as nothing. */
export const numberOf = (value: Value | undefined): string =>
  typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? `(${value})` : '(0)';
