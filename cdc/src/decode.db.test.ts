import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeEvent, Row } from '@strangler/contracts';
import { binlogSource } from './binlog-source.js';
import { connect } from './connect.js';
import { readRows } from './sql.js';
import { readTable, type Table } from './table.js';
import { type ScratchDatabase, engineOf, scratchDatabase, seeded } from './testing/databases.js';

let database: ScratchDatabase & { drop(): Promise<void> };
let isMariaDb: boolean;
beforeAll(async () => {
  database = await scratchDatabase('types');
  isMariaDb = (await engineOf(database.root)) === 'mariadb';
});
afterAll(() => database.drop());

/** Rows inserted into a new table as the log gives them, and as a SELECT does. */
async function bothWays(
  columns: string,
  inserts: readonly string[],
): Promise<{ readonly logged: Row[]; readonly selected: Row[] }> {
  const name = `t${Math.floor(performance.now() * 1000)}`;
  await database.root.query(`CREATE TABLE ${name} (id INT PRIMARY KEY AUTO_INCREMENT, ${columns})`);
  const table = (await readTable(database.root, database.schema, name)) as Table;
  const source = binlogSource({
    database,
    tables: [{ database: database.schema, table: name, columns: ['id'] }],
  });
  const from = await source.now();
  for (const insert of inserts) await database.root.query(`INSERT INTO ${name} SET ${insert}`);
  const end = new AbortController();
  const changes: ChangeEvent[] = [];
  for await (const transaction of source.stream(from, end.signal)) {
    changes.push(...transaction.changes);
    if (changes.length >= inserts.length) break;
  }
  const connection = await connect(database);
  const selected = await readRows(
    connection,
    table,
    table.columns.map((column) => column.name),
    'ORDER BY id',
  );
  connection.destroy();
  const plain = (row: Row): Row =>
    Object.fromEntries(
      Object.entries(row).map(([key, value]) => [
        key,
        value instanceof Uint8Array ? Uint8Array.from(value) : value,
      ]),
    );
  return { logged: changes.map((change) => plain(change.after as Row)), selected: selected.map(plain) };
}

describe('a logged row has the very text that a SELECT prints', () => {
  const cases: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    integers: [
      'a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, e MEDIUMINT, f MEDIUMINT UNSIGNED, g INT, h INT UNSIGNED, i BIGINT, j BIGINT UNSIGNED, k INT(7) ZEROFILL, l BOOLEAN',
      [
        'a=-128,b=255,c=-32768,d=65535,e=-8388608,f=16777215,g=-2147483648,h=4294967295,i=-9223372036854775808,j=18446744073709551615,k=42,l=7',
        'a=127,b=0,c=32767,d=1,e=8388607,f=0,g=2147483647,h=2147483648,i=9223372036854775807,j=9223372036854775808,k=12345678,l=-1',
        'a=-1,c=-1,e=-1,g=-1,i=-1,j=9007199254740993,k=0,l=NULL',
      ],
    ],
    decimals: [
      'a DECIMAL(10,2), b DECIMAL(65,30), c DECIMAL(5,0), d DECIMAL(18,9) UNSIGNED, e DECIMAL(3,3), f DECIMAL(10,1)',
      [
        "a=-0.01,b='-12345678901234567890123456789012345.123456789012345678901234567890',c=-99999,d=999999999.999999999,e=-0.999,f=1.5",
        "a=12.90,b='0.000000000000000000000000000001',c=0,d=0.000000001,e=0.001,f=-123456789.1",
        'a=-99999999.99,b=0,c=7,d=0,e=0,f=0',
      ],
    ],
    'numbers with a binary fraction': [
      'a FLOAT, b DOUBLE',
      [
        'a=0.1,b=0.1',
        'a=-0.0,b=-0.0',
        'a=1e38,b=1e308',
        'a=123456.7,b=123456789012345.6',
        'a=1e-10,b=1e-16',
        'a=16777217,b=1e15',
        'a=3.4e-30,b=2.2250738585072014e-308',
        'a=1e14,b=1e14',
        'a=1e15,b=123456789012345678',
        'a=0.0001,b=1e-15',
        'a=0,b=0',
      ],
    ],
    dates: [
      'a DATE, b DATETIME, c DATETIME(3), d DATETIME(6), e TIMESTAMP NULL, f TIMESTAMP(6) NULL, g YEAR, h TIMESTAMP(1) NULL',
      [
        "a='2024-02-29',b='2024-03-31 02:30:00',c='2024-01-01 00:00:00.120',d='9999-12-31 23:59:59.999999',e='2024-03-31 02:30:00',f='2038-01-19 03:14:07.999999',g=2155,h='2024-01-01 10:00:00.5'",
        "a='0001-01-01',b='1000-01-01 00:00:00',c='1000-01-01 00:00:00.001',d='1000-01-01 00:00:00.000001',e='1970-01-01 00:00:01',f='1970-01-01 00:00:01.000001',g=0,h='1999-12-31 23:59:59.9'",
        "a='0000-00-00',b='0000-00-00 00:00:00',c='0000-00-00 00:00:00',d='0000-00-00 00:00:00',e='0000-00-00 00:00:00',f='0000-00-00 00:00:00',g=1901",
        "a='2021-00-15',b='2021-05-00 10:00:00',c='2021-00-00 00:00:00.5',g=1970",
      ],
    ],
    'times of day and spans': [
      'a TIME, b TIME(1), c TIME(2), d TIME(3), e TIME(4), f TIME(5), g TIME(6)',
      [
        '-838:59:59',
        '838:59:59',
        '-00:00:01',
        '-00:01:00',
        '-01:00:00',
        '00:00:00',
        '-00:00:00.5',
        '-00:00:59.999999',
        '-12:34:00.000001',
        '-00:59:00',
        '-10:00:00.100000',
        '100:00:00.05',
        '-00:00:00.000001',
        '-34:00:00.25',
        '-00:00:01.000255',
        '-00:00:01.9',
        '-23:59:59.99',
      ].map((time) =>
        'abcdefg'
          .split('')
          .map((name) => `${name}='${time}'`)
          .join(','),
      ),
    ],
    'text in its character sets': [
      'a VARCHAR(300) CHARACTER SET latin1, b CHAR(20) CHARACTER SET latin1, c TEXT CHARACTER SET utf8mb4, d LONGTEXT CHARACTER SET utf8mb3, e VARCHAR(20) CHARACTER SET ascii, f TINYTEXT CHARACTER SET latin1, g MEDIUMTEXT, h CHAR(255)',
      [
        `a=CONVERT(X'${Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).toString('hex')}' USING latin1),b='Müller € ',c='\u{1f600} ﷽',d='ünï',e='plain',f='€',g='\u{feff}begins with a mark',h='x  '`,
        "a='',b='',c='',d='',e='',f='',g='',h=''",
        "a='it''s',c=REPEAT('ä',40000),g=CONCAT('nul',CHAR(0),'in it')",
      ],
    ],
    bytes: [
      'a BINARY(16), b VARBINARY(20), c BLOB, d TINYBLOB, e LONGBLOB, f BIT(1), g BIT(10), h BIT(64)',
      [
        "a=X'0100',b=X'00FF00',c=X'DEADBEEF',d='',e=REPEAT(X'00',70000),f=b'1',g=b'1000000001',h=X'8000000000000001'",
        "a=X'',b=X'',c=X'',f=b'0',g=0,h=0",
        "a=X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'",
      ],
    ],
    'lists of labels': [
      "a ENUM('x','it''s','a,b','Ü€') CHARACTER SET latin1, b SET('one','two','a b','vier') CHARACTER SET utf8mb4, c ENUM('0','1','2'), d SET('a','b') NOT NULL DEFAULT ''",
      [
        "a='it''s',b='one,vier',c='0'",
        "a='a,b',b='',c='2',d='a,b'",
        "a='Ü€',b='two,a b'",
        "a='none of them'",
      ],
    ],
    'types of MariaDB': [
      'a JSON, b UUID, c INET6',
      [
        `a='{"b": [1, 1.0, 12345678901234567890], "a": "ü"}',b='123e4567-e89b-12d3-a456-426655440000',c='::1'`,
        "b='123e4567-e89b-12d3-a456-426655440000',c='2001:db8::ff00:42:8329'",
        "b='00000000-0000-0000-0000-000000000000',c='::ffff:1.2.3.0'",
      ],
    ],
    'documents of MySQL': [
      'a JSON',
      [
        `a='{"b": [1, 1.0, 12345678901234567890, -9223372036854775808, 9007199254740993], "a": "ü"}'`,
        `a='{"": {"😀": null, "n": [true, false, {}, []]}, "quote": "\\\\"\\\\/ \\\\n \\\\u0001 \\\\u2028"}'`,
        "a='null'",
        'a=NULL',
        `a='"text"'`,
        "a='0.1'",
        "a='-0.0'",
        "a='1e308'",
        "a='1e15'",
        "a='123456789012345678901234567890'",
        "a=JSON_OBJECT('d', CAST('12.50' AS DECIMAL(10,2)), 'z', CAST('-0.000000000000000000000000000001' AS DECIMAL(65,30)))",
        "a=JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('2024-02-29 01:02:03.000456' AS DATETIME(6)), CAST('-12:34:56.5' AS TIME(1)), TIMESTAMP'2024-01-01 00:00:00')",
        "a=JSON_OBJECT('bytes', CAST(X'00FF80' AS BINARY), 'bits', b'101', 'y', CAST(2024 AS YEAR))",
        "a=JSON_OBJECT('long', REPEAT('x', 70000), 'many', CAST(CONCAT('[', REPEAT('1234,', 200), REPEAT('70000,', 9000), '1]') AS JSON))",
        'a=JSON_ARRAY(65535, 65536, -32769, 2147483648, 18446744073709551615, 3.4028234663852886e38)',
      ],
    ],
    'generated columns': [
      "a INT, v INT AS (a + 1) VIRTUAL, s VARCHAR(10) AS (CONCAT('n', a)) STORED, z INT",
      ['a=1,z=9', 'a=NULL,z=8'],
    ],
  };
  for (const [kind, [columns, inserts]] of Object.entries(cases))
    it(`of ${kind}`, async () => {
      await database.root.query("SET sql_mode = 'NO_ZERO_IN_DATE'; SET sql_mode = ''");
      if (/(MariaDB|MySQL)$/.exec(kind)?.[1] === (isMariaDb ? 'MySQL' : 'MariaDB')) return;
      const { logged, selected } = await bothWays(columns, inserts);
      expect(logged).toEqual(selected);
      expect(logged).toHaveLength(inserts.length);
    });

  it('of numbers drawn at random', async () => {
    const random = seeded(20_240_601);
    const values = Array.from({ length: 400 }, () => {
      const double = (random() - 0.5) * 10 ** Math.floor(random() * 60 - 30);
      return `a=${double},b=${double},c=${(random() * 1e9 - 5e8).toFixed(4)},d=SEC_TO_TIME(${((random() - 0.5) * 6_000_000).toFixed(6)})`;
    });
    const { logged, selected } = await bothWays('a FLOAT, b DOUBLE, c DECIMAL(20,4), d TIME(6)', values);
    expect(logged).toEqual(selected);
  });
});
