import type { Problem } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf, type Database } from './connect.js';
import { SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import type { Grants } from './grants.js';

type Asked = {
  readonly variable: string;
  readonly isRight: (value: string) => boolean;
  readonly code: string;
  readonly message: (value: string) => string;
  readonly remedy: string;
  readonly statements?: readonly string[];
};

const RESTART = "in the server's configuration and restart it";
const ASKED: readonly Asked[] = [
  {
    variable: 'log_bin',
    isRight: (value) => value === 'ON' || value === '1',
    code: 'LOG_OFF',
    message: () => 'writes no binary log',
    remedy: `set "log_bin" ${RESTART}`,
  },
  {
    variable: 'binlog_format',
    isRight: (value) => value === 'ROW',
    code: 'LOG_FORMAT',
    message: (value) => `logs statements (binlog_format is ${value})`,
    remedy: `set "binlog_format = ROW" ${RESTART}, so that every session follows`,
    statements: ["SET GLOBAL binlog_format = 'ROW'"],
  },
  {
    variable: 'binlog_row_image',
    isRight: (value) => value === 'FULL',
    code: 'LOG_ROW_IMAGE',
    message: (value) => `logs rows without all their columns (binlog_row_image is ${value})`,
    remedy: `set "binlog_row_image = FULL" ${RESTART}, so that every session follows`,
    statements: ["SET GLOBAL binlog_row_image = 'FULL'"],
  },
  {
    variable: 'binlog_row_value_options',
    isRight: (value) => value === '',
    code: 'LOG_ROW_VALUES',
    message: (value) => `logs parts of JSON values (binlog_row_value_options is ${value})`,
    remedy: `leave "binlog_row_value_options" empty ${RESTART}`,
    statements: ["SET GLOBAL binlog_row_value_options = ''"],
  },
  {
    variable: 'binlog_transaction_compression',
    isRight: (value) => value === 'OFF' || value === '0',
    code: 'LOG_COMPRESSED',
    message: () => 'compresses transactions in its log',
    remedy: `set "binlog_transaction_compression = OFF" ${RESTART}`,
    statements: ['SET GLOBAL binlog_transaction_compression = OFF'],
  },
  {
    variable: 'server_id',
    isRight: (value) => value !== '0',
    code: 'LOG_SERVER_ID',
    message: () => 'has the server id 0, with which nobody may read its log',
    remedy: `set "server_id" to another number ${RESTART}`,
    statements: ['SET GLOBAL server_id = 1'],
  },
];

/** Whether the server logs what has to be read. A variable it does not have is right. */
export async function checkLog(connection: Connection, path: string): Promise<readonly Problem[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${ASKED.map(({ variable }) => `'${variable}'`).join(', ')})`,
  );
  const values = new Map(
    rows.map((row) => [String(row['Variable_name']), String(row['Value']).toUpperCase()]),
  );
  const wrong = ASKED.filter(
    ({ variable, isRight }) => values.has(variable) && !isRight(values.get(variable) ?? ''),
  );
  // Of a server without a log its other settings say nothing.
  const told = wrong.some(({ code }) => code === 'LOG_OFF')
    ? wrong.filter(({ code }) => code === 'LOG_OFF')
    : wrong;
  return told.map(({ variable, code, message, remedy, statements = [] }) => ({
    code,
    path,
    message: message(values.get(variable) ?? ''),
    remedy,
    statements,
  }));
}

type Need = { readonly privilege: string; readonly schema: string | null; readonly table: string };

/** Privileges on the source: its log, its mapped tables, and the control schema beside it. */
export const sourceNeeds = (
  database: Database,
  tables: readonly string[],
  isNew: boolean,
): readonly Need[] => [
  { privilege: 'REPLICATION SLAVE', schema: null, table: '*' },
  { privilege: 'REPLICATION CLIENT', schema: null, table: '*' },
  ...tables.map((table) => ({ privilege: 'SELECT', schema: database.schema, table })),
  ...controlNeeds(controlSchemaOf(database), Object.keys(SOURCE_TABLES), isNew, [
    'SELECT',
    'INSERT',
    'UPDATE',
  ]),
];

/** Privileges on the target: to write its mapped tables, and the control schema beside it. */
export const targetNeeds = (
  database: Database,
  tables: readonly string[],
  isNew: boolean,
  isAssembled = false,
): readonly Need[] => [
  // Shadows are made as the tables need them.
  ...(isAssembled
    ? ['CREATE', 'ALTER', 'DROP', 'INDEX', 'SELECT', 'INSERT', 'UPDATE', 'DELETE'].map((privilege) => ({
        privilege,
        schema: controlSchemaOf(database),
        table: '*',
      }))
    : []),
  ...tables.flatMap((table) =>
    ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].map((privilege) => ({
      privilege,
      schema: database.schema,
      table,
    })),
  ),
  ...controlNeeds(controlSchemaOf(database), Object.keys(TARGET_TABLES), isNew, [
    'SELECT',
    'INSERT',
    'UPDATE',
    'DELETE',
  ]),
];

const controlNeeds = (
  schema: string,
  tables: readonly string[],
  isNew: boolean,
  privileges: readonly string[],
): Need[] =>
  isNew
    ? ['CREATE', ...privileges].map((privilege) => ({ privilege, schema, table: '*' }))
    : tables.flatMap((table) => privileges.map((privilege) => ({ privilege, schema, table })));

/** Whether all the control tables are there already: then the account need not be able to create them. */
export async function hasTables(
  connection: Connection,
  schema: string,
  tables: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [schema],
  );
  const there = new Set(rows.map((row) => String(row['name'])));
  return Object.keys(tables).every((name) => there.has(name));
}

/** One problem for each place that lacks privileges, with the statement that gives them. */
export function missingPrivileges(grants: Grants, needs: readonly Need[], path: string): readonly Problem[] {
  const missing = new Map<string, Set<string>>();
  for (const { privilege, schema, table } of needs) {
    if (grants.allows(privilege, schema === null ? null : { schema, table })) continue;
    const place = schema === null ? '*.*' : `\`${schema}\`.${table === '*' ? '*' : `\`${table}\``}`;
    missing.set(place, (missing.get(place) ?? new Set()).add(privilege));
  }
  return [...missing].map(([place, lacking]) => {
    const privileges = [...lacking].join(', ');
    return {
      code: 'PRIVILEGE_MISSING',
      path,
      message: `the account ${grants.account} lacks ${privileges} on ${place === '*.*' ? 'the server' : place}`,
      remedy: `run "GRANT ${privileges} ON ${place} TO ${grants.account}"`,
      statements: [`GRANT ${privileges} ON ${place} TO ${grants.account}`],
    };
  });
}
