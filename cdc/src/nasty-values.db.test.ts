import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Copied, copyNasty, type NastyTable } from './testing/nasty.js';
import { engineOf } from './testing/databases.js';

const id = 'id INT PRIMARY KEY';
/** The same values once copied and once followed, then the followed ones changed and one taken away. */
const values = (
  name: string,
  columns: string,
  rows: readonly string[],
  more: Partial<NastyTable> = {},
): NastyTable => ({
  name,
  columns: `${id}, ${columns}`,
  before: rows.map((row, index) => `INSERT INTO T SET id = ${index + 1}, ${row}`),
  after: [
    ...rows.map((row, index) => `INSERT INTO T SET id = ${index + 101}, ${row}`),
    ...rows.map((row, index) => `UPDATE T SET ${row} WHERE id = ${((index + 1) % rows.length) + 101}`),
    'UPDATE T SET id = id + 1000 WHERE id = 101',
    'DELETE FROM T WHERE id = 1',
  ],
  ...more,
});

const TABLES: readonly NastyTable[] = [
  values('1 whole numbers above 2^63', 'n BIGINT UNSIGNED', [
    'n = 18446744073709551615',
    'n = 9223372036854775808',
    'n = 0',
  ]),
  values('2 whole numbers above 2^53, also in documents', 'n BIGINT, j JSON', [
    'n = 9007199254740993, j = \'{"n": 12345678901234567890}\'',
    'n = -9223372036854775808, j = \'{"n": 9007199254740993}\'',
  ]),
  values('3 decimals of many digits', 'd DECIMAL(30,10), e DECIMAL(65,30)', [
    "d = '12345678901234567890.0123456789', e = '-12345678901234567890123456789012345.000000000000000000000000000001'",
    'd = -0.0000000001, e = 0',
  ]),
  values('4 FLOAT', 'f FLOAT', ['f = 0.1', 'f = 16777217', 'f = -3.4e38', 'f = 1e-40']),
  values('5 DOUBLE: minus zero, the largest, all digits', 'd DOUBLE', [
    'd = -0.0',
    'd = 1e308',
    'd = 0.1',
    'd = 5e-324',
    'd = 123456789012345678',
  ]),
  values('6 BIT', 'a BIT(1), b BIT(10), c BIT(64)', [
    "a = b'1', b = 0x0201, c = 0x8000000000000001",
    'a = 0, b = 0, c = 0',
  ]),
  values('7 TINYINT(1) that is no boolean', 'b TINYINT(1)', ['b = 2', 'b = 7', 'b = -1', 'b = NULL']),
  values('8 INT UNSIGNED above 2^31', 'a INT UNSIGNED, b MEDIUMINT UNSIGNED', [
    'a = 4294967295, b = 16777215',
    'a = 2147483648, b = 8388608',
  ]),
  values('9 ZEROFILL and YEAR', 'z INT(7) ZEROFILL, y YEAR', [
    'z = 42, y = 0',
    'z = 12345678, y = 1901',
    'z = 0, y = 2155',
  ]),
  {
    name: '10 an AUTO_INCREMENT key of 0',
    columns: 'id INT PRIMARY KEY AUTO_INCREMENT, n INT',
    before: ['INSERT INTO T VALUES (0, 1), (5, 5)'],
    after: ['UPDATE T SET n = 2 WHERE id = 0', 'INSERT INTO T VALUES (-3, 3)'],
  },
  {
    name: '11 keys at the end of INT',
    columns: `${id} AUTO_INCREMENT, n INT`,
    before: ['INSERT INTO T VALUES (2147483647, 1), (-2147483648, 2)'],
    after: ['INSERT INTO T VALUES (2147483646, 3)', 'UPDATE T SET n = 4 WHERE id = 2147483647'],
  },
  values('12 dates of zeros', 'd DATE, t DATETIME(3), s TIMESTAMP NULL', [
    "d = '0000-00-00', t = '0000-00-00', s = '0000-00-00'",
    "d = '2021-00-15', t = '2021-05-00 10:00:00.5', s = NULL",
  ]),
  values('14, 15 spans of time', 't TIME, u TIME(3), v TIME(6)', [
    "t = '-838:59:59', u = '-838:59:59.000', v = '838:59:59'",
    "t = '100:00:00', u = '-00:00:00.5', v = '-34:00:00.000001'",
  ]),
  values('16 DATETIME is no moment', 'd DATETIME(6)', [
    "d = '2024-03-31 02:30:00.123456'",
    "d = '2024-10-27 02:30:00'",
  ]),
  {
    name: '17 TIMESTAMP written in other zones',
    columns: `${id}, t TIMESTAMP(6) NULL`,
    before: [
      "SET time_zone = '+05:30'",
      "INSERT INTO T VALUES (1, '2024-03-31 02:30:00.5')",
      "SET time_zone = '+00:00'",
    ],
    after: [
      "SET time_zone = '-08:00'",
      "INSERT INTO T VALUES (2, '2024-11-03 01:30:00.000001')",
      "SET time_zone = '+00:00'",
    ],
  },
  values(
    '20 TIMESTAMP up to 2038, into a DATETIME',
    't TIMESTAMP(6) NULL',
    ["t = '2038-01-19 03:14:07.999999'", "t = '1970-01-01 00:00:01'"],
    {
      target: `${id}, t DATETIME(6)`,
    },
  ),
  values('21 first and last dates', 'd DATE, t DATETIME(6)', [
    "d = '0001-01-01', t = '0001-01-01 00:00:00'",
    "d = '9999-12-31', t = '9999-12-31 23:59:59.999999'",
  ]),
  values('22 emoji', 't VARCHAR(20) CHARACTER SET utf8mb4', ["t = '😀 e\u0301 ﷽'", "t = '\u{10ffff}'"]),
  values('23 UTF-8 bytes in a latin1 column', 't VARCHAR(40) CHARACTER SET latin1', [
    "t = _latin1 X'C3A9C3BC'",
    "t = _latin1 X'818D8F909D80FF'",
  ]),
  values(
    '23 latin1 into utf8mb4 and back',
    't VARCHAR(40) CHARACTER SET latin1',
    ["t = 'Müller €'", "t = _latin1 X'C3A9'"],
    {
      target: `${id}, t VARCHAR(40) CHARACTER SET utf8mb4`,
    },
  ),
  values('26 blanks at the end', 'c CHAR(5), v VARCHAR(5), t TEXT', [
    "c = 'a  ', v = 'a  ', t = 'a  '",
    "c = '', v = ' ', t = ' '",
  ]),
  {
    name: '25, 26 keys that differ by case, accent or blank',
    columns: '(k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT)',
    before: ["INSERT INTO T VALUES ('a', 1), ('A', 2), ('é', 3), ('e', 4), ('ß', 5), ('ss', 6)"],
    after: [
      'UPDATE T SET n = n + 10',
      "UPDATE T SET k = 'B' WHERE k = 'A'",
      "INSERT INTO T VALUES ('b', 7), ('A', 8)",
      "DELETE FROM T WHERE k = 'é'",
    ],
  },
  {
    name: '27 keys in a collation with an order of its own',
    columns: '(k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, n INT)',
    before: [
      "INSERT INTO T VALUES ('Zebra', 1), ('apple', 2), ('Äpfel', 3), ('_x', 4), ('ch', 5), ('10', 6), ('9', 7)",
    ],
    after: [
      "UPDATE T SET k = 'APPLE' WHERE k = 'apple'",
      "UPDATE T SET n = 9 WHERE k = 'zebra'",
      "INSERT INTO T VALUES ('ÿ', 8), (' ', 9)",
    ],
  },
  {
    name: '28 BINARY keys and padding',
    columns: '(k BINARY(16) PRIMARY KEY, b BINARY(4), v VARBINARY(4))',
    before: [
      "INSERT INTO T VALUES (UNHEX('00112233445566778899AABBCCDDEE00'), X'0100', X'0100'), (UNHEX(REPEAT('FF', 16)), X'', X'')",
    ],
    after: [
      "INSERT INTO T VALUES (UNHEX(REPEAT('00', 16)), X'00', X'0000')",
      "UPDATE T SET b = X'FFFFFFFF', v = X'20' WHERE k = UNHEX(REPEAT('FF', 16))",
      "DELETE FROM T WHERE k = UNHEX('00112233445566778899AABBCCDDEE00')",
    ],
  },
  values('29 the empty text and NULL', "a VARCHAR(5), b VARCHAR(5) NOT NULL DEFAULT 'x', c BLOB", [
    "a = '', b = '', c = ''",
    "a = NULL, b = 'NULL', c = NULL",
  ]),
  values('30 long values', 't LONGTEXT, b LONGBLOB', [
    "t = REPEAT('ä', 2000000), b = REPEAT(X'00FF', 1000000)",
    "t = '', b = ''",
  ]),
  values('31 zero characters, marks and lone surrogates', 't TEXT, b BLOB, j JSON', [
    "t = CONCAT('a', CHAR(0), '\\\\''\"%_', CHAR(26), CHAR(10)), b = X'FFFEC328', j = '\"\\\\u0000 \\\\u2028\"'",
    "t = '\u{feff}mark', b = X'', j = '{}'",
  ]),
  values('33 labels that look like numbers', "e ENUM('0','1','2','10'), s SET('1','2','4')", [
    "e = '2', s = '1,4'",
    "e = '0', s = ''",
    "e = '10', s = '2'",
  ]),
  values(
    '34 labels in another order',
    "e ENUM('new','paid','it''s','a,b'), s SET('x','y','z')",
    ["e = 'paid', s = 'x,z'", "e = 'it''s', s = 'y'", "e = 'a,b', s = ''"],
    {
      target: `${id}, e ENUM('a,b','it''s','other','paid','new'), s SET('z','y','x')`,
    },
  ),
  values('35, 36 documents', 'j JSON, n JSON', [
    'j = \'{"b": 1.0, "a": [1, {"z": null}], "ü": "\\\\"q\\\\""}\', n = \'null\'',
    "j = '[]', n = NULL",
    "j = '1e3', n = '\"text\"'",
  ]),
  values('35 keys twice in a document', 'j JSON', ['j = \'{"a": 1, "a": 2, "b": 1.0}\''], {
    only: 'mariadb',
  }),
  {
    name: '38 generated columns',
    columns: `${id}, a INT, v INT AS (a * 2) VIRTUAL, s VARCHAR(20) AS (CONCAT('n', a)) STORED, z INT`,
    target: `${id}, a INT, v INT, s VARCHAR(20), z INT`,
    before: ['INSERT INTO T (id, a, z) VALUES (1, 1, 1), (2, NULL, 2)'],
    after: ['INSERT INTO T (id, a, z) VALUES (3, 3, 3)', 'UPDATE T SET a = 7'],
  },
  {
    name: '39 invisible columns',
    columns: `${id}, a INT INVISIBLE, b INT DEFAULT 5 INVISIBLE, c INT`,
    before: ['INSERT INTO T (id, a, b, c) VALUES (1, 1, 2, 3)', 'INSERT INTO T VALUES (2, 4)'],
    after: ['INSERT INTO T (id, a, c) VALUES (3, 9, 9)', 'UPDATE T SET a = 8 WHERE id = 2'],
  },
  values(
    '41 types of MariaDB',
    'u UUID, i INET6',
    [
      "u = '123e4567-e89b-12d3-a456-426655440000', i = '2001:db8::ff00:42:8329'",
      "u = NULL, i = '::ffff:1.2.3.4'",
    ],
    { only: 'mariadb' },
  ),
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
});
