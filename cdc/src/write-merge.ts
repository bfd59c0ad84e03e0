import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import type { MergeWrite, ParkingWrite, Write } from './compact.js';
import type { ConflictJournal } from './conflict-journal.js';
import { isRetryable } from './database-errors.js';
import { conflictUndecided, rowRefused } from './errors.js';
import { keyShown } from './map.js';
import { mergeRow, type Merged, type Unseen } from './merge-row.js';
import type { MergeRules } from './merge-rules.js';
import type { OwnWrites } from './own-writes.js';
import { writeAnswer } from './answers.js';
import { isOneOf, literal, matches, quoted, readRows, tableName } from './sql.js';
import type { TablePair } from './table-pair.js';

const KEYS_A_STATEMENT = 1_000;

/** What a merge needs besides the connection. */
export type Merger = {
  readonly stream: string;
  /** Control schema of the target. */
  readonly schema: string;
  /** Left out where no other stream runs: then only images can tell of a conflict. */
  readonly own?: OwnWrites | undefined;
  readonly journal: ConflictJournal;
};

type Repair = Extract<ParkingWrite, { kind: 'repair' }>;

const isMerge = (write: Write): write is MergeWrite | Repair =>
  write.kind === 'merge' || (write.kind === 'repair' && write.pair.merge !== undefined);

/**
 * Locks the rows of all merges of a batch, also those that are not there, which takes REPEATABLE READ, and waits until it is known what the target's own writers had done to them
 * by then.
 */
export async function lockMerged(
  connection: Connection,
  { own }: Merger,
  writes: readonly Write[],
): Promise<void> {
  const merges = writes.filter(isMerge);
  for (const pair of new Set(merges.map((each) => each.pair))) {
    const names = Object.keys(pair.map.mapping.key);
    const keys = merges.filter((each) => each.pair === pair).map(({ key }) => key);
    for (let first = 0; first < keys.length; first += KEYS_A_STATEMENT) {
      const where = isOneOf(keys.slice(first, first + KEYS_A_STATEMENT), pair.target);
      await readRows(connection, pair.target, names, `WHERE ${where} FOR UPDATE`);
    }
  }
  if (merges.length > 0) await own?.reach();
}

/** Brings a change and the target's row together. Throws CONFLICT_UNDECIDED and ROW_REFUSED, for which its key is parked. */
export async function writeMerge(
  connection: Connection,
  merger: Merger,
  write: MergeWrite | Repair,
): Promise<void> {
  const { pair, key, row: after, seen } = write;
  const rules = pair.merge as MergeRules;
  const before = write.kind === 'merge' ? write.before : undefined;
  const [current] = await readRows(
    connection,
    pair.target,
    pair.map.writes,
    `WHERE ${matches(key, pair.target)} FOR UPDATE`,
  );
  const unseen =
    merger.own?.unseen(pair, key, seen) ?? byImages(rules, before && before.columns, after?.columns, current);
  const isAnswer = write.kind === 'merge' && write.isAnswer === true;
  const merged = mergeRow({
    rules,
    before,
    after,
    current,
    unseen,
    isForced: write.kind === 'repair',
    isAnswer,
  });
  if (merged.conflict)
    merger.journal.add({
      pair,
      key,
      ...merged.conflict,
      source: after?.columns ?? null,
      target: current ?? null,
    });
  if (merged.conflict?.winner === 'nobody') throw conflictUndecided(pair.target.name, keyShown(key));
  try {
    const statement = statementOf(pair, key, merged);
    if (statement !== undefined) await connection.query(statement);
  } catch (error) {
    throw isRetryable(error) ? error : rowRefused(pair.target.name, keyShown(key), error);
  }
  if (merged.isTrespass && merger.own) await writeAnswer(connection, merger.schema, merger.stream, pair, key);
}

/** Where nothing tells who has written the row: it is not as the source had it before. */
function byImages(
  rules: MergeRules,
  before: Row | null | undefined,
  after: Row | undefined,
  current: Row | undefined,
): Unseen {
  const isRow =
    before !== undefined &&
    (before === null || current === undefined
      ? (before === null) !== (current === undefined)
      : !rules.isSame(before, current, rules.together)) &&
    !(after && current && rules.isSame(after, current, rules.together));
  return { isRow, added: {}, owned: {} };
}

function statementOf(
  { target, map }: TablePair,
  key: Row,
  { write, values, sums }: Merged,
): string | undefined {
  const where = `WHERE ${matches(key, target)}`;
  if (write === 'delete') return `DELETE FROM ${tableName(target)} ${where}`;
  if (write === 'update')
    return `UPDATE ${tableName(target)} SET ${[
      ...Object.entries(values).map(([name, value]) => `${quoted(name)} = ${literal(value, target, name)}`),
      ...Object.entries(sums).map(([name, sum]) => `${quoted(name)} = COALESCE(${quoted(name)}, 0) + ${sum}`),
    ].join(', ')} ${where}`;
  if (write === 'none') return undefined;
  const whole: Row = { ...key, ...values };
  const list = map.writes.map((name) => sums[name] ?? literal(whole[name] ?? null, target, name));
  return `INSERT INTO ${tableName(target)} (${map.writes.map((name) => quoted(name)).join(', ')}) VALUES (${list.join(', ')})`;
}
