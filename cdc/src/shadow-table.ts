import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Column } from './column.js';
import { quoted } from './sql.js';
import { columnOf, readTable, type Table } from './table.js';

/** A column of a shadow: as some column is declared, under a name of its own. */
export type ShadowColumn = { readonly name: string; readonly like: Column; readonly nullable: boolean };

/** A shadow as it has to be. */
export type ShadowTable = {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ShadowColumn[];
  readonly key: readonly string[];
  /** Columns by which rows are asked for besides the key. */
  readonly indexes: readonly { readonly names: readonly string[]; readonly isUnique: boolean }[];
};

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const prefixOf = (stream: string): string => `part_${hash(stream).slice(0, 6)}_`;

/** Says which tables it is kept for; the names of two streams never meet. */
export function shadowTableName(stream: string, from: string, label: string): string {
  const name = `${prefixOf(stream)}${label}_${from}`.replaceAll('.', '_');
  return `${name.slice(0, 55)}_${hash(`${from}\0${label}`).slice(0, 8)}`;
}

/** The shadows of a stream that are there, whatever plan they are of. */
export async function shadowTables(
  connection: Connection,
  schema: string,
  stream: string,
): Promise<readonly string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [schema],
  );
  return rows.map((row) => String(row['name'])).filter((name) => name.startsWith(prefixOf(stream)));
}

export async function dropShadows(connection: Connection, schema: string, stream: string): Promise<void> {
  for (const name of await shadowTables(connection, schema, stream))
    await connection.query(`DROP TABLE IF EXISTS ${quoted(schema, name)}`);
}

/**
 * Makes a shadow, or brings one of an earlier plan to the columns it has to have, such as a target column that was widened. `isNew`: rows of its source are not in it, or not with all columns; that they were copied is forgotten before.
 */
export async function ensureShadow(
  connection: Connection,
  wanted: ShadowTable,
  forget: () => Promise<void>,
): Promise<{ readonly table: Table; readonly isNew: boolean }> {
  const { schema, name, key } = wanted;
  const list = (names: readonly string[]) => names.map((each) => quoted(each)).join(', ');
  const collations = await collationsOf(connection);
  const columns = wanted.columns.map((column) => ({ ...column, like: knownHere(column.like, collations) }));
  const found = await readTable(connection, schema, name);
  const index = ({ names, isUnique }: ShadowTable['indexes'][number]) =>
    `${isUnique ? 'UNIQUE ' : ''}KEY (${list(names)})`;
  const read = async () => (await readTable(connection, schema, name)) as Table;
  if (!found || found.primaryKey.join() !== key.join()) {
    await forget();
    if (found) await connection.query(`DROP TABLE ${quoted(schema, name)}`);
    await connection.query(
      `CREATE TABLE ${quoted(schema, name)} (${[...columns.map(declared), `PRIMARY KEY (${list(key)})`, ...wanted.indexes.map(index)].join(', ')}) ENGINE=InnoDB`,
    );
    return { table: await read(), isNew: true };
  }
  const changes = columns.flatMap((column) => {
    const now = columnOf(found, column.name);
    if (!now)
      return [
        `ADD COLUMN ${declared(column)}`,
        ...wanted.indexes.filter(({ names }) => names[0] === column.name).map((each) => `ADD ${index(each)}`),
      ];
    const isSame =
      now.type === column.like.type &&
      now.collation === column.like.collation &&
      now.nullable === column.nullable;
    return isSame ? [] : [`MODIFY COLUMN ${declared(column)}`];
  });
  if (changes.length === 0) return { table: found, isNew: false };
  const isNew = changes.some((change) => change.startsWith('ADD'));
  if (isNew) await forget();
  await connection.query(`ALTER TABLE ${quoted(schema, name)} ${changes.join(', ')}`);
  return { table: await read(), isNew };
}

const declared = ({ name, like, nullable }: ShadowColumn): string =>
  [
    quoted(name),
    like.type,
    ...(like.charset === null ? [] : [`CHARACTER SET ${like.charset}`]),
    ...(like.collation === null || like.collation === undefined ? [] : [`COLLATE ${like.collation}`]),
    nullable ? 'NULL' : 'NOT NULL',
  ].join(' ');

async function collationsOf(connection: Connection): Promise<ReadonlySet<string>> {
  // In MariaDB the short names are shared by several character sets, and only this one view has the full ones.
  const [rows] = await connection
    .query<RowDataPacket[]>(
      'SELECT FULL_COLLATION_NAME name FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY',
    )
    .catch(() =>
      connection.query<RowDataPacket[]>('SELECT COLLATION_NAME name FROM information_schema.COLLATIONS'),
    );
  return new Set(rows.map((row) => String(row['name'])));
}

/** A collation of another server may not be known here; the bytes are compared then. */
const knownHere = (column: Column, collations: ReadonlySet<string>): Column =>
  !column.collation || collations.has(column.collation)
    ? column
    : { ...column, charset: 'utf8mb4', collation: 'utf8mb4_bin' };
