import type { Connection, RowDataPacket } from 'mysql2/promise';

type Grant = { readonly privileges: ReadonlySet<string>; readonly schema: RegExp; readonly table: string };

/** What an account may do, read from SHOW GRANTS. */
export type Grants = {
  /** The account as the server names it, for a GRANT statement. */
  readonly account: string;
  /** `on` is null for a privilege of the whole server, else a schema and a table or `*`. */
  allows(privilege: string, on: { readonly schema: string; readonly table: string } | null): boolean;
};

/** Names by which the servers and their versions call one privilege. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  'REPLICATION CLIENT': ['BINLOG MONITOR', 'SUPER'],
  'REPLICATION SLAVE': ['REPLICATION REPLICA'],
};

/** `GRANT a, b (c) ON scope TO account`; undefined for the grant of a role. */
export function parseGrant(line: string): Grant | undefined {
  const match = /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`|[\w$]+)\.(\*|`(?:[^`]|``)*`|[\w$]+) TO /i.exec(
    line,
  );
  if (!match) return undefined;
  const [, list = '', schema = '', table = ''] = match;
  const name = (text: string) => text.replace(/^`|`$/g, '').replaceAll('``', '`');
  return {
    privileges: new Set(
      list
        .replaceAll(/\([^)]*\)/g, '')
        .split(',')
        .map((privilege) => privilege.trim().toUpperCase()),
    ),
    // In a grant for a whole schema "_" and "%" stand for others, unless escaped.
    schema:
      schema === '*'
        ? /^/
        : new RegExp(
            `^${name(schema).replaceAll(/\\([_%])|([_%])|([.*+?^${}()|[\]\\])/g, (_all, literal: string | undefined, wild: string | undefined, special: string | undefined) => literal ?? (wild === '_' ? '.' : wild === '%' ? '.*' : `\\${special ?? ''}`))}$`,
            'i',
          ),
    table: name(table),
  };
}

export async function readGrants(connection: Connection): Promise<Grants> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW GRANTS');
  const grants = rows.flatMap((row) => parseGrant(String(Object.values(row)[0])) ?? []);
  const [user] = await connection.query<RowDataPacket[]>('SELECT CURRENT_USER() account');
  return {
    account: String(user[0]?.['account'])
      .split('@')
      .map((part) => `'${part}'`)
      .join('@'),
    allows: (privilege, on) =>
      grants.some(
        (grant) =>
          [privilege, 'ALL PRIVILEGES', 'ALL', ...(ALSO[privilege] ?? [])].some((name) =>
            grant.privileges.has(name),
          ) &&
          (on === null
            ? grant.schema.source === '^' && grant.table === '*'
            : grant.schema.test(on.schema) && (grant.table === '*' || grant.table === on.table)),
      ),
  };
}
