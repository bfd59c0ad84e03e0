import { type Problem, reasonOf } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { connectToServer, databaseOf, placeOf } from './open-ledger.js';

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'CREATE', 'ALTER', 'TRIGGER'] as const;
const PATH = 'control.ledger';

const rowsOf = async (connection: Connection, sql: string, values: string[] = []) =>
  (await connection.query<RowDataPacket[]>(sql, values))[0];

/** What would keep the ledger from working: server, privileges, the right to make triggers. Changes nothing. */
export async function checkLedger(url: string): Promise<readonly Problem[]> {
  let connection: Connection;
  try {
    connection = await connectToServer(url);
  } catch (error) {
    return [
      {
        code: 'LEDGER_UNREACHABLE',
        path: PATH,
        message: `database "${placeOf(url)}" cannot be reached (${reasonOf(error)})`,
        remedy: 'start it, or correct host, user and password',
      },
    ];
  }
  try {
    const database = databaseOf(url);
    const grants = (await rowsOf(connection, 'SHOW GRANTS')).map((row) => String(Object.values(row)[0]));
    const held = privilegesOn(database, grants);
    const problems: Problem[] = [];
    const missing = held === 'cannot tell' ? [] : NEEDED.filter((privilege) => !held.has(privilege));
    if (missing.length > 0)
      problems.push({
        code: 'LEDGER_PRIVILEGE',
        path: PATH,
        message: `its user lacks ${missing.join(', ')} on "${database}"`,
        remedy: `GRANT ${NEEDED.join(', ')} ON \`${database}\`.* TO that user`,
      });
    const [variables] = await rowsOf(
      connection,
      'SELECT @@log_bin AS logged, @@log_bin_trust_function_creators AS trusted',
    );
    const guarded = await rowsOf(
      connection,
      "SELECT 1 FROM information_schema.triggers WHERE trigger_schema = ? AND event_object_table = 'strangler_ledger'",
      [database],
    );
    const mayAnyway = held === 'cannot tell' || held.has('SUPER');
    if (
      Number(variables?.['logged']) === 1 &&
      Number(variables?.['trusted']) !== 1 &&
      !mayAnyway &&
      guarded.length < 2
    )
      problems.push({
        code: 'LEDGER_TRIGGERS',
        path: PATH,
        message: `the server lets only SUPER make triggers while it writes a binary log, and the ledger of "${database}" is guarded by triggers`,
        remedy: 'set log_bin_trust_function_creators=1, or use another server for the ledger',
      });
    return problems;
  } finally {
    await connection.end().catch(() => {});
  }
}

/** Privileges on a database, of its own or global. A granted role hides what it holds, so nothing can be told then. */
export function privilegesOn(
  database: string,
  grants: readonly string[],
): ReadonlySet<string> | 'cannot tell' {
  const held = new Set<string>();
  for (const grant of grants) {
    const match = /^GRANT (.+) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.\* TO /i.exec(grant);
    if (!match) {
      if (/^GRANT (?!PROXY\b)[^(]* TO /i.test(grant) && !/ ON /i.test(grant)) return 'cannot tell';
      continue;
    }
    const [, privileges = '', on = ''] = match;
    if (on !== '*' && !matchesPattern(on.slice(1, -1).replaceAll('``', '`'), database)) continue;
    for (const privilege of privileges.split(',').map((text) => text.trim().toUpperCase()))
      if (privilege === 'ALL PRIVILEGES') {
        for (const one of NEEDED) held.add(one);
        if (on === '*') held.add('SUPER');
      } else held.add(privilege);
  }
  return held;
}

/** Database names in grants are LIKE patterns: `shop\_%`. */
function matchesPattern(pattern: string, database: string): boolean {
  const source = pattern.replace(
    /\\([_%])|([%])|(_)|([.*+?^${}()|[\]\\])/g,
    (_all, literal, any, one, special) => (literal ? literal : any ? '.*' : one ? '.' : `\\${special}`),
  );
  return new RegExp(`^${source}$`, 'i').test(database);
}
