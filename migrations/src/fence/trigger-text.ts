import { createHash } from 'node:crypto';
import { type FenceDatabase, quoted } from './fence-database.js';

export const FENCE_TABLE = 'fence';
export const OPERATIONS = ['INSERT', 'UPDATE', 'DELETE'] as const;
export type Operation = (typeof OPERATIONS)[number];

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** At most the 64 characters a name may have; servers differ in which letters of trigger names they tell apart. */
export const triggerName = (table: string, operation: Operation): string =>
  `strangler_fence_${operation.toLowerCase()}_${/^[a-z0-9_$]{1,40}$/.test(table) ? table : digest(table).slice(0, 32)}`;

export const fenceOf = ({ control }: FenceDatabase): string => quoted(control, FENCE_TABLE);

/** Without anything that has to be escaped: servers tell quoted texts otherwise than they were given. */
const textOf = (table: string): string =>
  /^[\w$ ]+$/.test(table)
    ? `'${table}'`
    : `CONVERT(UNHEX('${Buffer.from(table).toString('hex')}') USING utf8mb4)`;

/**
 * What the trigger runs before each row. Read LOCK IN SHARE MODE, the fence row stays as it is until the writer's transaction ends: so closing waits for every writer that has written, and who comes
 * behind it sees it closed, at any isolation level. Open lets those pass that are no appliers, closed those that are. A fence row that is not there refuses everyone.
 */
export function triggerBody(database: FenceDatabase, table: string): string {
  const name = textOf(table);
  const row = `FROM ${fenceOf(database)} WHERE tbl = ${name} LOCK IN SHARE MODE`;
  // A variable, because SIGNAL takes no expression.
  return `IF COALESCE((SELECT closed ${row}), 2) <> (@strangler_apply <=> 1) THEN
  BEGIN
    DECLARE refusal VARCHAR(128) CHARACTER SET utf8mb4 DEFAULT CONCAT('FENCED:', ${name}, ':', COALESCE((SELECT epoch ${row}), 0));
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = refusal;
  END;
END IF`;
}

/** Servers and their versions keep blanks and doubled quotes of a body in different ways. */
const plain = (body: string) =>
  body.replaceAll("''", "'").replaceAll('``', '`').replaceAll(/\s+/g, ' ').trim();
export const isSameBody = (one: string, other: string): boolean => plain(one) === plain(other);

/** `precedes` is the application's trigger that ran first: what it does elsewhere must not be done for a row that is refused. */
export const createTrigger = (
  database: FenceDatabase,
  table: string,
  operation: Operation,
  precedes: string | undefined,
): string =>
  `CREATE TRIGGER ${quoted(database.schema, triggerName(table, operation))} BEFORE ${operation} ON ${quoted(database.schema, table)} FOR EACH ROW${precedes === undefined ? '' : ` PRECEDES ${quoted(precedes)}`}
${triggerBody(database, table)}`;

export const dropTrigger = (database: FenceDatabase, name: string): string =>
  `DROP TRIGGER ${quoted(database.schema, name)}`;

export const createFenceTable = (database: FenceDatabase): string =>
  `CREATE TABLE IF NOT EXISTS ${fenceOf(database)} (
  tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
  closed TINYINT NOT NULL,
  epoch BIGINT UNSIGNED NOT NULL,
  coordinator BIGINT UNSIGNED NOT NULL,
  reason VARCHAR(255) CHARACTER SET utf8mb4,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;
