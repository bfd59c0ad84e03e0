import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { engineOf } from './testing/databases.js';
import { type Copied, copyNasty, type NastyTable } from './testing/nasty.js';

const id = 'id INT PRIMARY KEY';
const TABLES: readonly NastyTable[] = [
  {
    name: '19 a column of the target that changes with every update',
    columns: `${id}, n INT, t DATETIME`,
    target: `${id}, n INT, t DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, own TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)`,
    before: ["INSERT INTO T VALUES (1, 1, '2020-01-01 00:00:00'), (2, 2, NULL)"],
    after: ['UPDATE T SET n = n + 1', "INSERT INTO T VALUES (3, 3, '2001-01-01 00:00:00')"],
  },
  {
    name: '40 a default of the target that is made anew for each row',
    columns: `${id}, n INT`,
    target: `${id}, n INT, own CHAR(36) DEFAULT (UUID())`,
    before: ['INSERT INTO T VALUES (1, 1), (2, 2)'],
    after: ['UPDATE T SET n = n + 1', 'INSERT INTO T VALUES (3, 3)'],
  },
  {
    name: '44 keys that change, also to one that another row had',
    columns: `${id}, n INT`,
    before: ['INSERT INTO T VALUES (1, 1), (2, 2), (3, 3), (4, 4)'],
    after: [
      'START TRANSACTION; DELETE FROM T WHERE id = 1; UPDATE T SET id = 1 WHERE id = 2; UPDATE T SET id = 2 WHERE id = 3; COMMIT',
      'UPDATE T SET id = id + 100 ORDER BY id DESC',
      'START TRANSACTION; UPDATE T SET id = 0 WHERE id = 101; UPDATE T SET id = 101 WHERE id = 102; UPDATE T SET id = 102 WHERE id = 0; COMMIT',
    ],
  },
  {
    name: '45 unique values that are swapped',
    columns: `${id}, code VARCHAR(10) NULL UNIQUE, n INT UNIQUE`,
    before: ["INSERT INTO T VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, NULL)"],
    after: [
      "START TRANSACTION; UPDATE T SET code = NULL, n = NULL WHERE id = 1; UPDATE T SET code = 'a', n = 1 WHERE id = 2; UPDATE T SET code = 'b', n = 2 WHERE id = 1; COMMIT",
      "UPDATE T SET code = CASE id WHEN 1 THEN 'c' ELSE code END; UPDATE T SET code = 'b' WHERE id = 3",
    ],
  },
  {
    name: '47 rows that a foreign key deletes and changes',
    only: 'mysql',
    columns: `${id}, parent INT, FOREIGN KEY (parent) REFERENCES T_ (id) ON DELETE CASCADE`,
    before: ['INSERT INTO T VALUES (1, NULL), (2, 1), (3, 2), (4, NULL), (5, 4)'],
    after: ['SET foreign_key_checks = 1', 'DELETE FROM T WHERE id = 1', 'SET foreign_key_checks = 0'],
  },
  {
    name: '48 REPLACE by the application',
    columns: `${id}, code VARCHAR(10) UNIQUE, n INT`,
    before: ["INSERT INTO T VALUES (1, 'a', 1), (2, 'b', 2)"],
    after: [
      "REPLACE INTO T VALUES (3, 'a', 3)",
      "REPLACE INTO T VALUES (2, 'c', 4), (4, 'b', 5)",
      "INSERT INTO T VALUES (9, 'c', 1) ON DUPLICATE KEY UPDATE n = n + 10",
    ],
  },
  {
    name: '49, 50 orphans, and rows that refer to each other in a circle',
    columns: `${id}, parent INT, FOREIGN KEY (parent) REFERENCES T_ (id)`,
    before: ['INSERT INTO T VALUES (1, 2), (2, 1), (3, 999)'],
    after: [
      'INSERT INTO T VALUES (4, 5), (5, 4)',
      'DELETE FROM T WHERE id = 1',
      'UPDATE T SET parent = NULL WHERE id = 4',
    ],
  },
  {
    name: '51 a key of columns in another order',
    columns: '(a INT, b VARCHAR(10), c DATE, n INT, PRIMARY KEY (a, b, c))',
    target: '(n INT, c DATE, b VARCHAR(10), a INT, PRIMARY KEY (c, a, b))',
    before: [
      "INSERT INTO T VALUES (1, 'x', '2024-01-01', 1), (1, 'y', '2024-01-01', 2), (1, 'x', '2024-01-02', 3), (2, 'x', '2023-01-01', 4)",
    ],
    after: [
      "UPDATE T SET n = n + 10 WHERE b = 'x'",
      "UPDATE T SET b = 'z' WHERE b = 'y'",
      'DELETE FROM T WHERE a = 2',
    ],
  },
  {
    name: '56 MyISAM in the source',
    columns: '(id INT PRIMARY KEY, n INT) ENGINE = MyISAM',
    target: `${id}, n INT`,
    before: ['INSERT INTO T VALUES (1, 1), (2, 2), (3, 3)'],
    after: [
      'INSERT INTO T VALUES (4, 4), (5, 5)',
      'UPDATE T SET n = n + 1',
      'DELETE FROM T WHERE id < 3',
      'INSERT IGNORE INTO T VALUES (6, 6), (4, 0), (7, 7)',
    ],
  },
  {
    name: '60 what procedures, triggers and statements over several tables change',
    columns: `${id}, n INT`,
    before: [
      'CREATE TABLE other60 (id INT PRIMARY KEY, n INT)',
      'INSERT INTO other60 VALUES (1, 10), (2, 20), (3, 30)',
      'INSERT INTO T VALUES (1, 1), (2, 2), (3, 3)',
      'CREATE TRIGGER copy60 AFTER INSERT ON other60 FOR EACH ROW INSERT INTO T VALUES (NEW.id, NEW.n)',
      'CREATE PROCEDURE add60() BEGIN DECLARE i INT DEFAULT 100; WHILE i < 110 DO INSERT INTO T VALUES (i, i); SET i = i + 1; END WHILE; END',
    ],
    after: [
      'UPDATE T JOIN other60 USING (id) SET T.n = other60.n, other60.n = 0 WHERE id < 3',
      'DELETE T, other60 FROM T JOIN other60 USING (id) WHERE id = 3',
      'INSERT INTO other60 VALUES (50, 5), (51, 6)',
      'CALL add60()',
      'INSERT INTO T SELECT id + 1000, n FROM other60',
    ],
  },
  {
    name: '66 columns added first, in between and at the end while rows are written',
    columns: `${id}, a INT, b VARCHAR(10)`,
    before: ["INSERT INTO T VALUES (1, 1, 'x')"],
    after: [
      "INSERT INTO T VALUES (2, 2, 'y')",
      'ALTER TABLE T ADD COLUMN late INT NOT NULL DEFAULT 7 FIRST, ADD COLUMN mid INT AFTER a',
      "INSERT INTO T (id, a, b) VALUES (3, 3, 'z')",
      "INSERT INTO T (id, a, mid, b) VALUES (4, 4, 4, 'after')",
      "UPDATE T SET b = CONCAT(b, '!')",
    ],
  },
  {
    name: '69 a key that is deleted and used again',
    columns: `${id}, n INT`,
    before: ['INSERT INTO T VALUES (1, 1), (2, 2)'],
    after: [
      'DELETE FROM T WHERE id = 1',
      'INSERT INTO T VALUES (1, 10)',
      'START TRANSACTION; DELETE FROM T WHERE id = 2; INSERT INTO T VALUES (2, 20); UPDATE T SET n = 21 WHERE id = 2; DELETE FROM T WHERE id = 2; INSERT INTO T VALUES (2, 22); COMMIT',
    ],
  },
  {
    name: '70 a hot row',
    columns: `${id}, n INT`,
    before: ['INSERT INTO T VALUES (1, 0)'],
    after: Array.from({ length: 300 }, () => 'UPDATE T SET n = n + 1 WHERE id = 1'),
  },
  {
    name: '77 names with dots, blanks, quotes and reserved words',
    table: 'order`s a-b.c "x"',
    columns: '(`select` INT PRIMARY KEY, `a b` INT, `back``tick` VARCHAR(20), `Ünï.côde` INT)',
    before: ["INSERT INTO T VALUES (1, 1, 'x', 1), (2, 2, 'y', 2)"],
    after: [
      "UPDATE T SET `a b` = 3, `back``tick` = '`'",
      'INSERT INTO T VALUES (3, 3, NULL, 3)',
      'DELETE FROM T WHERE `select` = 1',
    ],
  },
  {
    name: '77 a name that is a keyword',
    table: 'table',
    columns: '(`key` INT PRIMARY KEY, `values` INT)',
    before: ['INSERT INTO T VALUES (1, 1)'],
    after: ['UPDATE T SET `values` = 2', 'INSERT INTO T VALUES (2, 2)'],
  },
];

let copied: Copied;
let engine: 'mariadb' | 'mysql';
beforeAll(async () => {
  copied = await copyNasty(TABLES);
  engine = await engineOf(copied.service.root);
}, 120_000);
afterAll(() => copied?.stop());

describe('copied, followed, and copied and followed back', () => {
  for (const table of TABLES)
    it(`is what it was: ${table.name}`, async () => {
      if (table.only && table.only !== engine) return;
      const { legacy, service, back } = await copied.rows(table);
      expect(legacy.length).toBeGreaterThan(0);
      expect(table.target === undefined ? service : legacy).toEqual(legacy);
      expect(back).toEqual(legacy);
    });

  it('is found equal by a verification, both ways', () => {
    const drifted = copied
      .verifications()
      .map(({ clean, tables }) => ({ clean, drift: tables.filter(({ samples }) => samples.length > 0) }));
    expect(drifted).toEqual([
      { clean: true, drift: [] },
      { clean: true, drift: [] },
    ]);
  });

  it('74 leaves columns of the target alone, and makes their defaults only once', async () => {
    const table = TABLES.find(({ name }) => name.startsWith('40 ')) as NastyTable;
    const before = (await copied.rows(table)).service.map((row) => row['own']);
    expect(new Set(before).size).toBe(3);
  });
});
