import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { check } from './check.js';
import { examine } from './doctor.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';

const MAPPING = `
        - { from: product, to: item, key: { id: id }, columns: { title: name, amount: amount, at: at } }`;
const SOURCE =
  'CREATE TABLE product (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), amount INT, at DATETIME) CHARSET utf8mb4 COLLATE utf8mb4_bin';
const TARGET =
  'CREATE TABLE item (id BIGINT PRIMARY KEY, title VARCHAR(20), amount INT, at DATETIME) CHARSET utf8mb4 COLLATE utf8mb4_bin';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
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

const look = () => examine(checkedPlan(from.url, to.url, MAPPING));
const shown = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
const at = 'migrations.catalog.data.tables[0]';

describe('of tables the doctor tells', () => {
  it.each<readonly [string, string, readonly string[]]>([
    [
      'from',
      'ALTER TABLE product ENGINE = MyISAM',
      [
        `warns SOURCE_NOT_TRANSACTIONAL ${at}.from: source table "product" is of engine "myisam": what a crash or a broken statement leaves in it may not be in the log, or the other way round`,
      ],
    ],
    [
      'from',
      'ALTER TABLE product AUTO_INCREMENT = 1900000000',
      [
        `warns KEY_HEAD_ROOM ${at}.from: the next "id" of source table "product" is 1900000000, and column "id" of source table "product" (INT) ends at 2147483647`,
      ],
    ],
    [
      'to',
      "ALTER TABLE item MODIFY id TINYINT UNSIGNED NOT NULL COMMENT 'kept'",
      [
        `warns KEY_HEAD_ROOM ${at}.to: the next "id" of source table "product" is 250, and column "id" of target table "item" (TINYINT) ends at 255`,
      ],
    ],
    [
      'to',
      'ALTER TABLE item MODIFY title VARCHAR(20) COLLATE utf8mb4_general_ci, ADD UNIQUE one_title (title)',
      [
        `warns UNIQUE_COARSER ${at}.to: unique key "one_title" of target table "item" may refuse rows that source table "product" has, which does not keep "name" apart in the same way`,
      ],
    ],
    [
      'from',
      'ALTER TABLE product MODIFY at TIMESTAMP NULL',
      [
        `warns COLUMN_TIME_ZONE ${at}.columns.at: column "at" of target table "item" is a DATETIME and gets the moments of a TIMESTAMP as a clock in UTC shows them`,
      ],
    ],
    [
      'to',
      'ALTER TABLE item MODIFY at TIMESTAMP NULL',
      [
        `warns COLUMN_TIME_ZONE ${at}.columns.at: column "at" of source table "product" is a DATETIME, and becomes the moment at which a clock in UTC shows it`,
      ],
    ],
    [
      'from',
      'ALTER TABLE product PARTITION BY HASH (id) PARTITIONS 2',
      [
        `tells TABLE_PARTITIONED ${at}.from: source table "product" is partitioned, and the flow stops when a partition is dropped, emptied or exchanged: its rows go without being logged`,
      ],
    ],
    [
      'to',
      'CREATE TABLE maker (id INT PRIMARY KEY); ALTER TABLE item ADD CONSTRAINT of_maker FOREIGN KEY (amount) REFERENCES maker (id) ON DELETE CASCADE',
      [
        `tells FOREIGN_KEY_UNCHECKED ${at}.to: foreign key "of_maker" of target table "item" is not checked, and does nothing, for rows that are copied`,
      ],
    ],
  ])('in "%s", after %s', async (side, sql, sentences) => {
    if (sql.includes('TINYINT')) await from.root.query('ALTER TABLE product AUTO_INCREMENT = 250');
    await (side === 'from' ? from : to).root.query(sql);
    const types = (text: string) =>
      text.replaceAll(
        /\((tinyint|int)[^)]*\)?(?: unsigned)?\)/g,
        (_, type: string) => `(${type.toUpperCase()})`,
      );
    expect(shown(await look()).map(types)).toEqual(sentences);
    expect(await check(checkedPlan(from.url, to.url, MAPPING))).toEqual([]);
  });

  it.each<readonly [string, string]>([
    ['from', 'ALTER TABLE product ENGINE = MyISAM'],
    ['from', "ALTER TABLE product AUTO_INCREMENT = 2000000000, MODIFY id INT AUTO_INCREMENT COMMENT 'kept'"],
    ['to', "ALTER TABLE item MODIFY at DATETIME NULL COMMENT 'kept'"],
  ])('what remedies it in "%s" after %s', async (side, sql) => {
    const { root } = side === 'from' ? from : to;
    if (side === 'to') await from.root.query('ALTER TABLE product MODIFY at TIMESTAMP NULL');
    await root.query(sql);
    const findings = await look();
    expect(findings).toHaveLength(1);
    for (const statement of findings[0]?.statements ?? []) await root.query(statement);
    expect(await look()).toEqual([]);
    const table = side === 'from' ? 'product' : 'item';
    const [rows] = await root.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
    expect(String(rows[0]?.['Create Table'])).toContain(/COMMENT 'kept'/.exec(sql)?.[0] ?? '');
  });

  it('rows without a parent by the statement that it says', async () => {
    await to.root.query(
      'CREATE TABLE maker (id INT PRIMARY KEY); INSERT INTO maker VALUES (1); ALTER TABLE item ADD CONSTRAINT of_maker FOREIGN KEY (amount) REFERENCES maker (id); SET foreign_key_checks = 0; INSERT INTO item (id, amount) VALUES (1, 1), (2, 7), (3, NULL)',
    );
    const [finding] = await look();
    const [orphans] = await to.root.query<RowDataPacket[]>(finding?.statements?.[0] ?? '');
    expect(orphans.map((row) => Number(row['id']))).toEqual([2]);
  });

  it('a constraint that may refuse rows', async () => {
    await to.root.query("ALTER TABLE item ADD CONSTRAINT some CHECK (amount > 0 AND title <> ')')");
    expect(shown(await look())).toEqual([
      expect.stringMatching(
        /^tells CHECK_CONSTRAINT .*\.to: constraint "some" of target table "item" refuses rows \(.*amount.* > 0.*\): the keys/,
      ),
    ]);
  });

  it('no unique key that the source has as fine', async () => {
    await to.root.query(
      'ALTER TABLE item ADD UNIQUE one_title (title), ADD UNIQUE both_of (title, amount), ADD own INT UNIQUE',
    );
    await from.root.query('ALTER TABLE product ADD UNIQUE (name)');
    expect(await look()).toEqual([]);
  });
});

describe('of triggers of the target it tells', () => {
  const audit = 'CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40))';
  const log = "INSERT INTO audit (what) VALUES (CONCAT('it''s ', NEW.title))";

  it('one that runs for copied rows, until its body asks', async () => {
    await to.root.query(`${audit}; CREATE TRIGGER noted AFTER INSERT ON item FOR EACH ROW ${log}`);
    const findings = await look();
    expect(shown(findings)).toEqual([
      'warns TRIGGER_ON_COPY databases.service: trigger "noted" (AFTER INSERT) of "item" runs for copied rows too, and what it does was done in the source already',
    ]);
    for (const statement of findings[0]?.statements ?? []) await to.root.query(statement);
    expect(await look()).toEqual([]);
    await to.root.query("SET @strangler_apply = 1; INSERT INTO item (id, title) VALUES (1, 'copied')");
    await to.root.query("SET @strangler_apply = NULL; INSERT INTO item (id, title) VALUES (2, 'own')");
    const [rows] = await to.root.query<RowDataPacket[]>('SELECT what FROM audit');
    expect(rows).toEqual([{ what: "it's own" }]);
  });

  it.each([
    ['SET NEW.title = UPPER(NEW.title)', 'title'],
    ['BEGIN DECLARE x INT; SET x = 1, NEW.`amount` := 7; END', 'amount'],
    [
      'BEGIN IF NEW.title = 1 THEN DELETE FROM item WHERE id = NEW.title; SET new.amount=5; END IF; END',
      'amount',
    ],
  ])('one that changes what is copied, with which sync does not start: %s', async (body, column) => {
    await to.root.query(`CREATE TRIGGER nice BEFORE INSERT ON item FOR EACH ROW ${body}`);
    const plan = checkedPlan(from.url, to.url, MAPPING);
    const [problem, ...others] = await check(plan);
    expect([problem?.code, problem?.message, others]).toEqual([
      'TRIGGER_CHANGES_COPY',
      `trigger "nice" (BEFORE INSERT) of "item" changes "${column}" of copied rows, so they are not what the mapping says`,
      [],
    ]);
    for (const statement of problem?.statements ?? []) await to.root.query(statement);
    expect(await check(plan)).toEqual([]);
  });

  it('one that changes columns of the service alone only as one that runs', async () => {
    await to.root.query(
      'ALTER TABLE item ADD own INT; CREATE TRIGGER mine BEFORE UPDATE ON item FOR EACH ROW SET NEW.own = NEW.amount + 1',
    );
    expect(await check(checkedPlan(from.url, to.url, MAPPING))).toEqual([]);
    expect((await look()).map(({ code }) => code)).toEqual(['TRIGGER_ON_COPY']);
  });
});
