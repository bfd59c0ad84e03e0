import type { Plan, Problem } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { readGrants } from './grants.js';
import { hidden } from './hidden.js';
import { compileMapping } from './map.js';
import { firstThatRuns, isMariaDb } from './server-settings.js';
import { migrationsOf, pathOf, type Side } from './sides.js';
import { quoted } from './sql.js';

/** What a trigger asks in order to tell a copy from a write of the application. */
const GUARD = '@strangler_apply';

/**
 * Triggers of tables that are written here: they run for rows that are copied too, and what they do was done in the source already. One that changes a mapped
 * column makes another row of the copy than the mapping says.
 */
export async function checkTriggers(plan: Plan, side: Side): Promise<readonly Problem[]> {
  const { connection, database, written } = side;
  const mapped = mappedColumns(plan, database.name);
  const [triggers] = await connection.query<RowDataPacket[]>(
    `SELECT TRIGGER_NAME name, EVENT_OBJECT_TABLE tbl, ACTION_TIMING timing, EVENT_MANIPULATION event, ACTION_STATEMENT body, SQL_MODE mode, DEFINER definer
       FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE IN (?) ORDER BY TRIGGER_NAME`,
    [database.schema, written],
  );
  const isReplaced = await isMariaDb(connection);
  const problems: Problem[] = [];
  for (const row of triggers) {
    const [name, table, body] = [String(row['name']), String(row['tbl']), String(row['body'])];
    if (body.toLowerCase().includes(GUARD)) continue;
    const kind = `${String(row['timing'])} ${String(row['event'])}`;
    const column = assigned(body).find((each) => mapped.get(table)?.has(each.toLowerCase()));
    const known = {
      path: pathOf(side),
      remedy: `let its body ask "IF ${GUARD} IS NULL"`,
      statements: guarded(row, await writtenBody(side, name, body), database.schema, isReplaced),
    };
    problems.push(
      column === undefined
        ? {
            ...known,
            code: 'TRIGGER_ON_COPY',
            message: `trigger "${name}" (${kind}) of "${table}" runs for copied rows too, and what it does was done in the source already`,
          }
        : {
            ...known,
            code: 'TRIGGER_CHANGES_COPY',
            message: `trigger "${name}" (${kind}) of "${table}" changes "${column}" of copied rows, so they are not what the mapping says`,
          },
    );
  }

  const grants = await readGrants(connection);
  // MariaDB shows them to whoever may write the table.
  if (!isReplaced && written.some((table) => !grants.allows('TRIGGER', { schema: database.schema, table })))
    problems.push(await hidden(side, 'triggers', 'TRIGGER', `${quoted(database.schema)}.*`));
  return problems;
}

const GIVEN = /^\s*NEW\s*\.\s*`?([^`\s:=,;]+)`?\s*:?=/i;

/** Columns of NEW that a body gives a value to. */
const assigned = (body: string): readonly string[] =>
  [...body.matchAll(/\bSET\s+([^;]*)/gi)]
    .flatMap(([, list = '']) => list.split(','))
    .flatMap((item) => GIVEN.exec(item)?.[1] ?? []);

/** The body as it was written: MySQL shows it in information_schema without the quotes that were doubled in it. */
async function writtenBody({ connection, database }: Side, name: string, shown: string): Promise<string> {
  const [row] =
    (await firstThatRuns(connection, `SHOW CREATE TRIGGER ${quoted(database.schema, name)}`)) ?? [];
  const text = String(row?.['SQL Original Statement'] ?? '');
  return /\bFOR EACH ROW\s+(?:(?:FOLLOWS|PRECEDES)\s+\S+\s+)?(.*)$/is.exec(text)?.[1] ?? shown;
}

/** Statements that make the trigger anew with its body behind the question. */
function guarded(row: RowDataPacket, text: string, schema: string, isReplaced: boolean): readonly string[] {
  const name = quoted(schema, String(row['name']));
  const definer = String(row['definer'])
    .split('@')
    .map((part) => `'${part}'`)
    .join('@');
  const head = `TRIGGER ${name} ${String(row['timing'])} ${String(row['event'])} ON ${quoted(schema, String(row['tbl']))} FOR EACH ROW`;
  const body = `IF ${GUARD} IS NULL THEN ${text.replace(/;\s*$/, '')}; END IF`;
  return [
    `SET SESSION sql_mode = '${String(row['mode'])}'`,
    ...(isReplaced ? [] : [`DROP TRIGGER ${name}`]),
    `CREATE ${isReplaced ? 'OR REPLACE ' : ''}DEFINER = ${definer} ${head} ${body}`,
  ];
}

/** Columns that mappings write, by table, in lower case. */
function mappedColumns(plan: Plan, database: string): ReadonlyMap<string, ReadonlySet<string>> {
  const columns = new Map<string, Set<string>>();
  const add = (table: string, names: readonly string[]) =>
    columns.set(table, new Set([...(columns.get(table) ?? []), ...names.map((each) => each.toLowerCase())]));
  for (const { data } of migrationsOf(plan))
    for (const mapping of data.tables) {
      const { reads, writes } = compileMapping(mapping);
      if (data.from === database && mapping.writers === 'both') add(mapping.from, reads);
      if (data.to !== database) continue;
      add(mapping.to, writes);
      for (const { to, key, item, position } of mapping.split)
        add(to, [...Object.keys(key), item, ...(position === undefined ? [] : [position])]);
    }
  return columns;
}
