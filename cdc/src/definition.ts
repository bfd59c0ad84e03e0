import type { Connection, RowDataPacket } from 'mysql2/promise';
import { quoted } from './sql.js';

export type ForeignKey = {
  readonly name: string;
  readonly columns: readonly string[];
  /** As it stands behind REFERENCES, without its rules: `maker` (`id`). */
  readonly references: string;
  readonly parent: string;
  readonly parentColumns: readonly string[];
  /** Whether the server itself changes rows of the child when their parent changes. */
  readonly cascades: boolean;
};

export type Check = {
  readonly name: string;
  readonly expression: string;
  /** Where it belongs to a column and goes with its declaration (MariaDB). */
  readonly column?: string;
};

/** A table as its server would make it anew: what information_schema tells, and what an account that may only SELECT is not told there. */
export type Definition = {
  readonly table: string;
  /** What stands behind the name of each column: type, character set, default, comment. */
  readonly columns: ReadonlyMap<string, string>;
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly Check[];
  readonly isPartitioned: boolean;
};

const NAME = '`((?:[^`]|``)*)`';
const COLUMN = new RegExp(`^  ${NAME} (.*?),?$`);
const FOREIGN_KEY = new RegExp(
  `^  CONSTRAINT ${NAME} FOREIGN KEY \\((.*?)\\) REFERENCES ((?:${NAME}\\.)?${NAME} \\((.*?)\\))(.*?),?$`,
);
const CHECK = new RegExp(`^  CONSTRAINT ${NAME} CHECK \\((.*)\\)(?: .*)?,?$`);
/** What of a declaration is no text, up to a check of its own. */
const COLUMN_CHECK = /^((?:[^'`]|'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`)*?) CHECK \((.*)\)$/;
const PARTITIONS = /^\s*(\/\*!\d+ )?PARTITION BY/m;
const plain = (name: string): string => name.replaceAll('``', '`');
const namesIn = (list: string): readonly string[] =>
  [...list.matchAll(new RegExp(NAME, 'g'))].map(([, name]) => plain(name as string));

/** Reads what SHOW CREATE TABLE prints: one column, key or constraint a line. */
export function parseDefinition(table: string, text: string): Definition {
  const lines = text.split('\n');
  const columns = new Map<string, string>();
  const foreignKeys: ForeignKey[] = [];
  const checks: Check[] = [];
  for (const line of lines) {
    const column = COLUMN.exec(line);
    if (column) {
      const [name, declared] = [plain(column[1] as string), column[2] as string];
      columns.set(name, declared);
      const own = COLUMN_CHECK.exec(declared)?.[2];
      if (own !== undefined) checks.push({ name, expression: own, column: name });
    }
    const key = FOREIGN_KEY.exec(line);
    if (key) {
      const [, name = '', own = '', references = '', schema, parent = '', theirs = '', rules = ''] = key;
      foreignKeys.push({
        name: plain(name),
        columns: namesIn(own),
        references,
        parent: schema === undefined ? plain(parent) : `${plain(schema)}.${plain(parent)}`,
        parentColumns: namesIn(theirs),
        cascades: /ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT)/.test(rules),
      });
    }
    const check = CHECK.exec(line);
    if (check) checks.push({ name: plain(check[1] as string), expression: check[2] as string });
  }
  return { table, columns, foreignKeys, checks, isPartitioned: PARTITIONS.test(text) };
}

/** Undefined when there is no such table, when it is a view, or when the account may not see it. SELECT on the table is enough. */
export async function readDefinition(
  connection: Connection,
  schema: string,
  table: string,
): Promise<Definition | undefined> {
  const read = connection.query<RowDataPacket[]>(`SHOW CREATE TABLE ${quoted(schema)}.${quoted(table)}`);
  const text: unknown = (await read.catch(() => [[]] as [RowDataPacket[]]))[0][0]?.['Create Table'];
  return typeof text === 'string' ? parseDefinition(table, text) : undefined;
}
