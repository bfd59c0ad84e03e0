// Long because each thing that can be wrong stands beside the sentence that tells it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Problem } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { startServer } from '../../scripts/mysql-server.mjs';
import { check } from './check.js';
import { CHECKED_TABLES, checkedPlan as planOf } from './testing/checked-plan.js';
import { engineOf, type ScratchDatabase, scratchDatabase } from './testing/databases.js';

const lines = (problems: readonly Problem[]) =>
  problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);

const SOURCE =
  "CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(20), kind ENUM('a'), tags VARCHAR(50), shape POINT, greek VARCHAR(9) CHARACTER SET greek, share FLOAT)";
const TARGET =
  'CREATE TABLE item (id INT PRIMARY KEY, title VARCHAR(20), kind VARCHAR(5)); CREATE TABLE item_tag (item_id INT, position INT, tag VARCHAR(20), PRIMARY KEY (item_id, position))';

describe('a preflight', () => {
  let from: ScratchDatabase & { drop(): Promise<void> };
  let to: ScratchDatabase & { drop(): Promise<void> };
  beforeEach(async () => {
    from = await scratchDatabase('legacy');
    to = await scratchDatabase('service');
    await from.root.query(SOURCE);
    await to.root.query(TARGET);
  });
  afterEach(async () => {
    await from.drop();
    await to.drop();
  });
  const problems = async (tables?: string) => lines(await check(planOf(from.url, to.url, tables)));

  it('with other source tables that do not fit names each of them, all at once', async () => {
    await from.root.query(
      'CREATE TABLE price (product_id INT PRIMARY KEY, amount BIGINT); CREATE TABLE kind (code INT PRIMARY KEY, id INT); CREATE TABLE tag (product_id INT, place INT, tag POINT)',
    );
    await to.root.query('ALTER TABLE item ADD amount INT, ADD kind_id INT, ADD tags INT');
    const found = await problems(`
        - from: product
          to: item
          key: { id: id }
          parts:
            - { from: price, key: { id: product }, columns: { amount: amount, gone: amount } }
            - { from: nowhere, key: { id: id }, columns: { title: title } }
          lost: [name, kind, tags, shape, greek, share]
          lookups: { kind_id: { column: name, in: kind, key: code, value: id } }
          lists: { tags: { from: tag, key: { id: product_id }, item: tag, order: place } }`);
    // MySQL tells no width.
    expect(found.map((line) => line.replaceAll('int(11)', 'int'))).toEqual([
      'KEY_TYPE migrations.catalog.data.tables[0].lookups.kind_id: column "name" is a "varchar(20)" and is looked up in "code" of "kind", a "int"',
      'COLUMN_MISSING migrations.catalog.data.tables[0].parts[0].columns: column "product" is not in source table "price"',
      'COLUMN_MISSING migrations.catalog.data.tables[0].parts[0].columns: column "gone" is not in target table "item"',
      'TABLE_MISSING migrations.catalog.data.tables[0].parts[1].from: table "nowhere" is not there, or the account may not read it',
      'PRIMARY_KEY_MISSING migrations.catalog.data.tables[0].lists.tags.from: table "tag" has no primary key, so its rows cannot be told apart',
      'COLUMN_TYPE_UNKNOWN migrations.catalog.data.tables[0].lists.tags.columns: column "tag" of source table "tag" is a "point", which cannot be decoded from the log',
      'COLUMN_NARROWER migrations.catalog.data.tables[0].lists.tags: column "tags" is a "int" in the target, which holds no list',
    ]);
  });

  it('has nothing to say when all is well, and changes nothing', async () => {
    expect(await problems()).toEqual([]);
    const [schemas] = await from.root.query("SHOW DATABASES LIKE '%\\_strangler'");
    expect(
      (schemas as object[]).filter((row) =>
        Object.values(row).some((name) => String(name).startsWith(from.schema)),
      ),
    ).toEqual([]);
  });

  it('finds a database that does not answer, and goes on with the other', async () => {
    await to.root.query('ALTER TABLE item DROP COLUMN title');
    const gone = new URL(from.url);
    gone.port = '1';
    expect(lines(await check(planOf(gone.href, to.url)))).toEqual([
      expect.stringMatching(/^DATABASE_UNREACHABLE databases.legacy: does not answer \(.*ECONNREFUSED/),
      expect.stringMatching(/^COLUMN_MISSING .*column "title" is not in target table "item"$/),
    ]);
    const denied = new URL(from.url);
    denied.password = 'wrong';
    expect(lines(await check(planOf(denied.href, to.url)))[0]).toMatch(
      /^DATABASE_UNREACHABLE databases.legacy: does not answer \(Access denied/,
    );
    const absent = new URL(from.url);
    absent.pathname = '/nowhere';
    expect(lines(await check(planOf(absent.href, to.url)))[0]).toMatch(/Unknown database 'nowhere'/);
  });

  const at = 'migrations.catalog.data.tables[0]';
  it.each<readonly [string, string, string, string]>([
    [
      'from',
      'DROP TABLE product',
      'TABLE_MISSING',
      `${at}.from: table "product" is not there, or the account may not read it`,
    ],
    [
      'to',
      'DROP TABLE item',
      'TABLE_MISSING',
      `${at}.to: table "item" is not there, or the account may not read it`,
    ],
    [
      'to',
      'DROP TABLE item_tag',
      'TABLE_MISSING',
      `${at}.split[0].to: table "item_tag" is not there, or the account may not read it`,
    ],
    [
      'from',
      'ALTER TABLE product DROP PRIMARY KEY',
      'PRIMARY_KEY_MISSING',
      `${at}.from: table "product" has no primary key, so its rows cannot be told apart`,
    ],
    [
      'to',
      'ALTER TABLE item DROP PRIMARY KEY',
      'PRIMARY_KEY_MISSING',
      `${at}.to: table "item" has no primary key, so its rows cannot be told apart`,
    ],
    [
      'from',
      'ALTER TABLE product DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)',
      'KEY_NOT_PRIMARY',
      `${at}.key: the primary key of table "product" is "id", "name", not "id"`,
    ],
    [
      'to',
      'ALTER TABLE item DROP PRIMARY KEY, ADD PRIMARY KEY (title)',
      'KEY_NOT_PRIMARY',
      `${at}.key: the primary key of table "item" is "title", not "id"`,
    ],
    [
      'from',
      "ALTER TABLE product MODIFY id ENUM('1')",
      'KEY_TYPE',
      `${at}.from: key column "id" of table "product" is a "enum('1')", by which rows cannot be read in chunks`,
    ],
    [
      'from',
      'ALTER TABLE product DROP COLUMN name',
      'COLUMN_MISSING',
      `${at}.columns: column "name" is not in source table "product"`,
    ],
    [
      'from',
      'ALTER TABLE product DROP COLUMN tags',
      'COLUMN_MISSING',
      `${at}.columns: column "tags" is not in source table "product"`,
    ],
    [
      'to',
      'ALTER TABLE item DROP COLUMN title',
      'COLUMN_MISSING',
      `${at}.columns: column "title" is not in target table "item"`,
    ],
    [
      'to',
      'ALTER TABLE item_tag DROP COLUMN tag',
      'COLUMN_MISSING',
      `${at}.split[0]: column "tag" is not in target table "item_tag"`,
    ],
    [
      'from',
      'ALTER TABLE product MODIFY name POINT',
      'COLUMN_TYPE_UNKNOWN',
      `${at}.columns: column "name" of source table "product" is a "point", which cannot be decoded from the log`,
    ],
    [
      'from',
      'ALTER TABLE product MODIFY name VARCHAR(20) CHARACTER SET greek',
      'COLUMN_TYPE_UNKNOWN',
      `${at}.columns: column "name" of source table "product" is a "varchar(20)" in greek, which cannot be decoded from the log`,
    ],
    [
      'to',
      'ALTER TABLE item DROP COLUMN title, ADD COLUMN title VARCHAR(20) AS (kind) STORED',
      'COLUMN_GENERATED',
      `${at}.columns: column "title" of target table "item" is generated and cannot be written`,
    ],
    [
      'to',
      'ALTER TABLE item ADD COLUMN must INT NOT NULL',
      'COLUMN_UNFILLED',
      `${at}.columns: column "must" of target table "item" must have a value and the mapping gives none`,
    ],
    [
      'to',
      'ALTER TABLE item_tag ADD COLUMN must INT NOT NULL',
      'COLUMN_UNFILLED',
      `${at}.split[0]: column "must" of target table "item_tag" must have a value and the mapping gives none`,
    ],
  ])('finds in "%s" after: %s', async (side, sql, code, sentence) => {
    await (side === 'from' ? from : to).root.query(sql);
    expect(await problems()).toContain(`${code} ${sentence}`);
  });

  it('lets columns be that have a default of their own', async () => {
    await to.root.query(
      'ALTER TABLE item ADD COLUMN a INT NOT NULL DEFAULT 0, ADD COLUMN b DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, ADD COLUMN c INT, ADD COLUMN d INT AS (1) STORED; ALTER TABLE item_tag DROP PRIMARY KEY, ADD COLUMN n INT NOT NULL AUTO_INCREMENT UNIQUE',
    );
    expect(await problems()).toEqual([]);
  });

  const lost = CHECKED_TABLES.replace('lost: [', 'lost: [maker_id, ');

  it('finds foreign keys that change rows without logging them', async () => {
    await from.root.query(
      'CREATE TABLE maker (id INT PRIMARY KEY); ALTER TABLE product ADD maker_id INT, ADD CONSTRAINT of_maker FOREIGN KEY (maker_id) REFERENCES maker (id) ON DELETE SET NULL',
    );
    // From 9.6 on MySQL logs them.
    const isLogged = (await engineOf(from.root)) === 'mysql';
    const told =
      'FOREIGN_KEY_CASCADES databases.legacy: foreign key "of_maker" changes rows of "product" when "maker" changes, and the log does not say so';
    expect(await problems(lost)).toEqual(isLogged ? [] : [told]);
    await from.root.query(
      'ALTER TABLE product DROP FOREIGN KEY of_maker, ADD CONSTRAINT of_maker FOREIGN KEY (maker_id) REFERENCES maker (id)'
        .replace(', ADD', '; ALTER TABLE product ADD')
        .replace('of_maker FOREIGN', 'to_maker FOREIGN'),
    );
    expect(await problems(lost)).toEqual([]);
  });

  it.each<readonly [string, string, string]>([
    ['from', 'ALTER TABLE product DROP PRIMARY KEY', 'PRIMARY_KEY_MISSING'],
    ['to', 'ALTER TABLE item ENGINE = MyISAM', 'TABLE_NOT_TRANSACTIONAL'],
    ['to', "ALTER TABLE item DROP title, ADD note VARCHAR(9) COMMENT 'a, b'", 'COLUMN_MISSING'],
    ['to', "ALTER TABLE item ADD must INT NOT NULL COMMENT 'it''s'", 'COLUMN_UNFILLED'],
    ['to', "ALTER TABLE item MODIFY title CHAR(20) NOT NULL DEFAULT 'it''s, NULL'", 'COLUMN_NARROWER'],
  ])('in "%s", after %s: %s says what to run, and that remedies it', async (side, sql, code) => {
    await (side === 'from' ? from : to).root.query(sql);
    const found = await check(planOf(from.url, to.url));
    expect(found.map((each) => each.code)).toEqual([code]);
    for (const statement of found[0]?.statements ?? [])
      await (side === 'from' ? from : to).root.query(statement);
    expect(await problems()).toEqual([]);
    const [rows] = await to.root.query<RowDataPacket[]>('SHOW CREATE TABLE item');
    expect(String(rows[0]?.['Create Table'])).toContain(/(COMMENT|DEFAULT) '(.*)'$/.exec(sql)?.[0] ?? '');
  });

  it('says what to run for keys that the target takes for one', async () => {
    await from.root.query(
      'ALTER TABLE product MODIFY id VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    );
    await to.root.query("ALTER TABLE item MODIFY id VARCHAR(9) CHARACTER SET latin1 COMMENT 'kept'");
    const [found] = await check(planOf(from.url, to.url));
    expect(found?.code).toBe('KEY_COLLATION');
    for (const statement of found?.statements ?? []) await to.root.query(statement);
    expect(await problems()).toEqual([]);
    const [rows] = await to.root.query<RowDataPacket[]>('SHOW CREATE TABLE item');
    expect(String(rows[0]?.['Create Table'])).toMatch(/`id` .*utf8mb4_bin NOT NULL COMMENT 'kept'/);
  });

  it('finds a view where a table is meant', async () => {
    await from.root.query('RENAME TABLE product TO thing; CREATE VIEW product AS SELECT * FROM thing');
    expect(await problems()).toEqual([
      `TABLE_IS_VIEW ${at}.from: "product" is a view, whose rows are neither logged nor written by themselves`,
    ]);
  });

  it('lets a foreign key that changes rows be made one that does not, by what it says to run', async () => {
    await from.root.query(
      'CREATE TABLE maker (id INT PRIMARY KEY); ALTER TABLE product ADD maker_id INT, ADD CONSTRAINT of_maker FOREIGN KEY (maker_id) REFERENCES maker (id) ON DELETE CASCADE',
    );
    for (const { statements = [] } of await check(planOf(from.url, to.url, lost)))
      for (const statement of statements) await from.root.query(statement);
    expect(await problems(lost)).toEqual([]);
  });

  it('tells every problem at once', async () => {
    await from.root.query('ALTER TABLE product DROP COLUMN name, DROP COLUMN tags');
    await to.root.query('DROP TABLE item_tag; ALTER TABLE item ADD must INT NOT NULL');
    expect(await problems()).toHaveLength(4);
  });

  describe('of privileges', () => {
    const account = `'u${Math.floor(performance.now())}'@'127.0.0.1'`;
    const as = (database: ScratchDatabase) => {
      const url = new URL(database.url);
      url.username = account.slice(1, account.indexOf("'", 1));
      url.password = 'pw';
      return url.href;
    };
    afterEach(() => from.root.query(`DROP USER IF EXISTS ${account}`));
    const grant = async (...grants: string[]) => {
      await from.root.query(
        `CREATE USER ${account} IDENTIFIED BY 'pw'; ${grants.map((text) => `GRANT ${text} TO ${account}`).join(';')}`,
      );
      return (await check(planOf(as(from), as(to)))).map(
        ({ code, path, message, remedy }) => `${code} ${path}: ${message}: ${remedy}`,
      );
    };
    const all = (schema: string) => `ALL ON \`${schema}\`.*`;

    it('is content with just enough', async () => {
      expect(
        await grant(
          'REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
          `SELECT ON \`${from.schema}\`.product`,
          `CREATE, SELECT, INSERT, UPDATE ON \`${from.schema}_strangler\`.*`,
          `SELECT, INSERT, UPDATE, DELETE ON \`${to.schema}\`.*`,
          `CREATE, SELECT, INSERT, UPDATE, DELETE ON \`${to.schema}_strangler\`.*`,
        ),
      ).toEqual([]);
    });

    it('sees with SELECT alone what foreign keys change without logging it', async () => {
      if ((await engineOf(from.root)) === 'mysql') return;
      await from.root.query(
        'CREATE TABLE maker (id INT PRIMARY KEY); ALTER TABLE product ADD maker_id INT, ADD CONSTRAINT of_maker FOREIGN KEY (maker_id) REFERENCES maker (id) ON DELETE CASCADE',
      );
      const found = await grant(
        'REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
        `SELECT ON \`${from.schema}\`.product`,
        all(`${from.schema}_strangler`),
        all(to.schema),
        all(`${to.schema}_strangler`),
      );
      expect(found).toContainEqual(
        expect.stringMatching(/^FOREIGN_KEY_CASCADES databases.legacy: foreign key "of_maker"/),
      );
    });

    it('names what is missing, where, and the statement that grants it', async () => {
      const found = await grant(all(from.schema), `SELECT ON \`${to.schema}\`.*`);
      expect(found).toContain(
        `PRIVILEGE_MISSING databases.legacy: the account ${account} lacks REPLICATION SLAVE, REPLICATION CLIENT on the server: run "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account}"`,
      );
      expect(found).toContain(
        `PRIVILEGE_MISSING databases.legacy: the account ${account} lacks CREATE, SELECT, INSERT, UPDATE on \`${from.schema}_strangler\`.*: run "GRANT CREATE, SELECT, INSERT, UPDATE ON \`${from.schema}_strangler\`.* TO ${account}"`,
      );
      expect(found).toContain(
        `PRIVILEGE_MISSING databases.service: the account ${account} lacks INSERT, UPDATE, DELETE on \`${to.schema}\`.\`item\`: run "GRANT INSERT, UPDATE, DELETE ON \`${to.schema}\`.\`item\` TO ${account}"`,
      );
    });

    it('says that a table it may not read could be missing', async () => {
      const found = await grant(
        'REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
        all(`${from.schema}_strangler`),
        all(to.schema),
        all(`${to.schema}_strangler`),
        `SELECT ON \`${from.schema}\`.other_table`,
      ).catch((error: unknown) => [String(error)]);
      expect(found.join()).toMatch(/other_table/);
      await from.root.query(`CREATE TABLE other_table (id INT PRIMARY KEY); DROP USER ${account}`);
      const again = await grant(
        'REPLICATION SLAVE, REPLICATION CLIENT ON *.*',
        all(`${from.schema}_strangler`),
        all(to.schema),
        all(`${to.schema}_strangler`),
        `SELECT ON \`${from.schema}\`.other_table`,
      );
      expect(again.map((line) => line.split(' ')[0])).toEqual(['PRIVILEGE_MISSING', 'TABLE_MISSING']);
    });
  });
});

describe('a preflight of a server that does not log as it must', () => {
  let to: ScratchDatabase & { drop(): Promise<void> };
  beforeAll(async () => {
    to = await scratchDatabase('service');
    await to.root.query(TARGET);
  });
  afterAll(() => to.drop());

  it.each([
    [['--skip-log-bin'], 'LOG_OFF databases.legacy: writes no binary log'],
    [
      ['--binlog-format=STATEMENT'],
      'LOG_FORMAT databases.legacy: logs statements (binlog_format is STATEMENT)',
    ],
    [['--binlog-format=MIXED'], 'LOG_FORMAT databases.legacy: logs statements (binlog_format is MIXED)'],
    [
      ['--binlog-row-image=MINIMAL'],
      'LOG_ROW_IMAGE databases.legacy: logs rows without all their columns (binlog_row_image is MINIMAL)',
    ],
    [
      ['--binlog-row-image=NOBLOB'],
      'LOG_ROW_IMAGE databases.legacy: logs rows without all their columns (binlog_row_image is NOBLOB)',
    ],
  ])('finds %j', async (args, sentence) => {
    const server = await startServer({ args });
    try {
      const from = await scratchDatabase('legacy', server.url);
      await from.root.query(SOURCE);
      const found = await check(planOf(from.url, to.url));
      await from.drop();
      expect(lines(found)).toEqual([sentence]);
      expect(found[0]?.remedy).toContain('restart it');
    } finally {
      await server.stop();
    }
  });
});
