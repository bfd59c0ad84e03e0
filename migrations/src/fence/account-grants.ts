import type { DatabaseAccount } from '@strangler/contracts';
import { escape } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { privilegesOn } from '../ledger/check-ledger.js';
import { type FenceDatabase, rowsOf } from './fence-database.js';

/** What changes rows, or takes them away with their table. */
export const WRITES = ['INSERT', 'UPDATE', 'DELETE', 'DROP'] as const;

export const accountOf = ({ user, host }: DatabaseAccount): string => `${escape(user)}@${escape(host)}`;

export type AccountGrants = {
  /** Privileges to write that it has on more than single tables, or by a role: they cannot be revoked for a table. */
  readonly wide: readonly string[];
  /** Privileges to write that it has on a table itself. */
  on(table: string): readonly string[];
};

export async function grantsOf(
  connection: Connection,
  { schema }: FenceDatabase,
  account: DatabaseAccount,
): Promise<AccountGrants> {
  const lines = (await rowsOf(connection, `SHOW GRANTS FOR ${accountOf(account)}`)).map((row) =>
    String(Object.values(row)[0]),
  );
  const held = privilegesOn(schema, lines);
  const wide =
    held === 'cannot tell'
      ? ['what a role gives']
      : WRITES.filter((privilege) => held.has(privilege) || held.has('ALL PRIVILEGES') || held.has('SUPER'));
  return {
    wide,
    on: (table) => {
      const name = (text: string) => `\`${text.replaceAll('`', '``')}\``;
      const place = ` ON ${name(schema)}.${name(table)} TO `;
      const given = lines
        .filter((line) => line.includes(place))
        .flatMap((line) => line.slice('GRANT '.length, line.indexOf(place)).split(','))
        .map((privilege) => privilege.trim().toUpperCase());
      return given.includes('ALL PRIVILEGES') ? WRITES : WRITES.filter((each) => given.includes(each));
    },
  };
}
