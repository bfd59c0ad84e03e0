import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tableMappingSchema, type MigrationData } from '@strangler/contracts';
import { checkTables } from './check-tables.js';
import { checkLog } from './check-database.js';
import type { MigrationSync } from './migration-sync.js';
import { readTable } from './table.js';
import { engineOf, type ScratchDatabase, scratchDatabase, until } from './testing/databases.js';
import { followed, migrationOf } from './testing/nasty.js';

let from: ScratchDatabase & { drop(): Promise<void> };
let to: ScratchDatabase & { drop(): Promise<void> };
let sync: MigrationSync | undefined;
beforeEach(async () => {
  from = await scratchDatabase('refused');
  to = await scratchDatabase('refusing');
  await from.root.query("SET sql_mode = 'ALLOW_INVALID_DATES', foreign_key_checks = 0");
});
afterEach(async () => {
  await sync?.stop();
  sync = undefined;
  await from.drop();
  await to.drop();
});

const mapping = tableMappingSchema.parse({ from: 'a', to: 'b', key: { id: 'id' }, columns: { v: 'v' } });
const data: MigrationData = { from: 'refused', to: 'refusing', chunkRows: 10, tables: [mapping] };
async function open(source: string, target: string): Promise<void> {
  await from.root.query(
    `CREATE TABLE a ${source.startsWith('(') ? source : `(id INT PRIMARY KEY, ${source})`}`,
  );
  await to.root.query(
    `CREATE TABLE b ${target.startsWith('(') ? target : `(id INT PRIMARY KEY, ${target})`}`,
  );
}
const codes = async () =>
  checkTables(
    mapping,
    {
      source: await readTable(from.root, from.schema, 'a'),
      target: await readTable(to.root, to.schema, 'b'),
      children: [],
    },
    'm',
  ).map(({ code }) => code);

describe('a preflight refuses', () => {
  it.each([
    ['18 fractions of a second that would be rounded', 'v DATETIME(6)', 'v DATETIME', 'COLUMN_NARROWER'],
    ['3 digits that would be rounded', 'v DECIMAL(30,10)', 'v DECIMAL(30,2)', 'COLUMN_NARROWER'],
    ['3 decimals in a DOUBLE', 'v DECIMAL(30,10)', 'v DOUBLE', 'COLUMN_NARROWER'],
    ['28 bytes that would be filled up', 'v VARBINARY(4)', 'v BINARY(4)', 'COLUMN_NARROWER'],
    ['26 blanks that would be cut off', 'v VARCHAR(4)', 'v CHAR(4)', 'COLUMN_NARROWER'],
    [
      '24 a character set it cannot decode',
      'v VARCHAR(9) CHARACTER SET gbk',
      'v VARCHAR(9)',
      'COLUMN_TYPE_UNKNOWN',
    ],
    ['41 shapes', 'v POINT', 'v POINT', 'COLUMN_TYPE_UNKNOWN'],
    [
      '56 a target without transactions',
      'v INT',
      '(id INT PRIMARY KEY, v INT) ENGINE = MyISAM',
      'TABLE_NOT_TRANSACTIONAL',
    ],
    ['38 a generated column of the target', 'v INT', 'v INT AS (1) STORED', 'COLUMN_GENERATED'],
    ['42 a table without a key', '(id INT, v INT)', 'v INT', 'PRIMARY_KEY_MISSING'],
    [
      '43 a unique column that may be NULL as the only key',
      '(id INT NULL UNIQUE, v INT)',
      'v INT',
      'PRIMARY_KEY_MISSING',
    ],
    ['43 a key of labels', "(id ENUM('a','b') PRIMARY KEY, v INT)", 'v INT', 'KEY_TYPE'],
    ['5 a key of binary fractions', '(id FLOAT PRIMARY KEY, v INT)', 'v INT', 'KEY_TYPE'],
    [
      '43 a key of the beginnings of texts',
      '(id VARCHAR(200), v INT, PRIMARY KEY (id(10)))',
      '(id VARCHAR(200) PRIMARY KEY, v INT)',
      'PRIMARY_KEY_MISSING',
    ],
    ['51 a column in another case', 'V INT, w INT', 'v INT', 'COLUMN_MISSING'],
    [
      '25 keys that the target takes for one',
      '(id VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY, v INT)',
      '(id VARCHAR(9) COLLATE utf8mb4_unicode_ci PRIMARY KEY, v INT)',
      'KEY_COLLATION',
    ],
  ])('%s', async (_, source, target, code) => {
    await open(source, target);
    expect(await codes()).toContain(code);
  });

  it('39 rows of which the server keeps old versions', async () => {
    if ((await engineOf(from.root)) === 'mysql') return;
    await open('(id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING', 'v INT');
    expect(await codes()).toEqual(['TABLE_VERSIONED']);
  });

  it('39 a table whose key the server has made up', async () => {
    if ((await engineOf(from.root)) === 'mariadb') return;
    await from.root.query('SET sql_generate_invisible_primary_key = ON');
    await open('(id INT, v INT)', 'v INT');
    expect((await codes()).length).toBeGreaterThan(0);
  });

  it('37 parts of documents, and compressed transactions', async () => {
    if ((await engineOf(from.root)) === 'mariadb') return;
    const options = async (assignment: string) => {
      await from.root.query(`SET GLOBAL ${assignment}`);
      return (await checkLog(from.root, 'databases.refused')).map(({ code }) => code);
    };
    try {
      expect(await options("binlog_row_value_options = 'PARTIAL_JSON'")).toEqual(['LOG_ROW_VALUES']);
      expect(await options("binlog_row_value_options = ''")).toEqual([]);
      expect(await options('binlog_transaction_compression = ON')).toEqual(['LOG_COMPRESSED']);
    } finally {
      await options("binlog_row_value_options = '', GLOBAL binlog_transaction_compression = OFF");
    }
  });
});

describe('a flow stops with a sentence, with nothing of it applied, at', () => {
  const refused: readonly (readonly [string, string, string, string, RegExp])[] = [
    ['13 a date that is none', 'v DATE', 'v DATE', "'2021-02-31'", /row "1?0?1" of table "b" was refused/],
    [
      '22 emoji for a utf8mb3 column',
      'v VARCHAR(9)',
      'v VARCHAR(9) CHARACTER SET utf8mb3',
      "'a😀'",
      /was refused by the target \(.*Incorrect string value/,
    ],
    [
      '22 letters for a latin1 column',
      'v VARCHAR(9)',
      'v VARCHAR(9) CHARACTER SET latin1',
      "'ł'",
      /was refused by the target/,
    ],
    ['32 a label that was none', "v ENUM('a')", "v ENUM('a')", "'nothing'", /was refused by the target/],
    [
      '32 a label that the target does not have',
      "v ENUM('a','b')",
      "v ENUM('a')",
      "'b'",
      /was refused by the target/,
    ],
    [
      '8 a number that is too large',
      'v INT UNSIGNED',
      'v INT',
      '4294967295',
      /was refused by the target \(.*Out of range/,
    ],
    [
      '20 a date that is no TIMESTAMP',
      'v DATETIME',
      'v TIMESTAMP NULL',
      "'2039-01-01'",
      /was refused by the target/,
    ],
    [
      '29 NULL where it may not be',
      'v INT NULL',
      'v INT NOT NULL DEFAULT 0',
      'NULL',
      /was refused by the target \(.*cannot be null/,
    ],
    [
      '75 a text that is too long',
      'v VARCHAR(9)',
      'v VARCHAR(3)',
      "'long'",
      /was refused by the target \(.*too long/,
    ],
  ];
  it.each(refused)('%s, copied', async (_, source, target, value, sentence) => {
    await open(source, target);
    await from.root.query(`INSERT INTO a SET id = 1, v = ${value}`);
    sync = migrationOf('refusal', from, to, data, { maxParkedKeys: 0 });
    void sync.wish('run');
    await until(() => sync?.evidence(0).state === 'stopped', 'it stops');
    expect(sync.evidence(0).problem).toMatch(sentence);
    expect((await to.root.query('SELECT * FROM b'))[0]).toEqual([]);
  });

  it.each(refused)('%s, followed', async (_, source, target, value, sentence) => {
    await open(source, target);
    sync = migrationOf('refusal', from, to, data, { maxParkedKeys: 0 });
    void sync.wish('run');
    await followed(sync, from);
    await from.root.query(`INSERT INTO a SET id = 101, v = ${value}`);
    await until(() => sync?.evidence(0).state === 'stopped', 'it stops');
    expect(sync.evidence(0).problem).toMatch(sentence);
    expect((await to.root.query('SELECT * FROM b'))[0]).toEqual([]);
  });

  it.each([
    [
      '46 a value that is unique in the target only',
      'INSERT INTO a VALUES (1, 1), (2, 1)',
      /refused by the target \(.*Duplicate entry/,
      'v INT UNIQUE',
    ],
    [
      '57 a logged statement',
      "SET SESSION binlog_format = 'STATEMENT'; INSERT INTO a VALUES (1, 1)",
      /changed by "INSERT INTO a/,
      'v INT',
    ],
    [
      '57 rows without all their columns',
      "SET SESSION binlog_row_image = 'MINIMAL'; INSERT INTO a VALUES (1, 1); UPDATE a SET v = 2",
      /without all its columns/,
      'v INT',
    ],
    [
      '58 a table that takes its place',
      'CREATE TABLE c LIKE a; RENAME TABLE a TO d, c TO a',
      /changed by "RENAME TABLE/,
      'v INT',
    ],
    ['59 TRUNCATE', 'TRUNCATE a', /changed by "TRUNCATE a/, 'v INT'],
    [
      '59 a table that is dropped and made again',
      'DROP TABLE a; CREATE TABLE a (id INT PRIMARY KEY, v INT)',
      /changed by "DROP TABLE/,
      'v INT',
    ],
    [
      '67 a column that gets another name',
      'ALTER TABLE a CHANGE v w INT',
      /column "v" of table "a"/,
      'v INT',
    ],
    [
      '66 a column that is dropped and added again',
      'ALTER TABLE a DROP COLUMN v; ALTER TABLE a ADD COLUMN v INT',
      /column "v" of table "a"|altered again/,
      'v INT',
    ],
    [
      '66 a type that takes digits away',
      'ALTER TABLE a MODIFY v TINYINT',
      /column "v" of table "a" was changed from/,
      'v INT',
    ],
  ])('%s', async (_, statements, sentence, column) => {
    await open('v INT', column);
    sync = migrationOf('refusal', from, to, data, { maxParkedKeys: 0 });
    void sync.wish('run');
    await followed(sync, from);
    await from.root.query(statements);
    await until(() => sync?.evidence(0).state === 'stopped', 'it stops');
    expect(sync.evidence(0).problem).toMatch(sentence);
  });

  it('58 what is written past the log is found by a verification', async () => {
    await open('v INT', 'v INT');
    sync = migrationOf('refusal', from, to, data, { maxParkedKeys: 0 });
    void sync.wish('run');
    await followed(sync, from);
    await from.root.query('SET sql_log_bin = 0; INSERT INTO a VALUES (1, 1); SET sql_log_bin = 1');
    expect(await sync.verify()).toMatchObject({ clean: false, driftRows: 1 });
  });

  it('61 a trigger of the target that asks can tell a copy', async () => {
    await open('v INT', 'v INT');
    await to.root.query(
      'CREATE TABLE told (n INT); CREATE TRIGGER tell AFTER INSERT ON b FOR EACH ROW INSERT INTO told SELECT NEW.id FROM DUAL WHERE @strangler_apply IS NULL',
    );
    await from.root.query('INSERT INTO a VALUES (1, 1)');
    sync = migrationOf('refusal', from, to, data, { maxParkedKeys: 0 });
    void sync.wish('run');
    await from.root.query('INSERT INTO a VALUES (2, 2)');
    await followed(sync, from);
    await to.root.query('INSERT INTO b VALUES (3, 3)');
    expect((await to.root.query('SELECT n FROM told'))[0]).toEqual([{ n: 3 }]);
  });
});
