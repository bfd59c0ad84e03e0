const list = (...inserts: readonly string[]) => inserts;

/** Values that travel badly, in columns that both sources carry. What Debezium loses stands in check-kafka.ts and its test. */
export const NASTY_TABLES: Readonly<
  Record<string, { readonly columns: string; readonly inserts: readonly string[] }>
> = {
  integers: {
    columns:
      'a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, e MEDIUMINT, f MEDIUMINT UNSIGNED, g INT, h INT UNSIGNED, i BIGINT, j BIGINT UNSIGNED, k INT(7) ZEROFILL, l BOOLEAN',
    inserts: list(
      'a=-128,b=255,c=-32768,d=65535,e=-8388608,f=16777215,g=-2147483648,h=4294967295,i=-9223372036854775808,j=18446744073709551615,k=42,l=7',
      'a=127,b=0,c=32767,d=1,e=8388607,f=0,g=2147483647,h=2147483648,i=9223372036854775807,j=9223372036854775808,k=12345678,l=-1',
      'a=-1,c=-1,e=-1,g=-1,i=-1,j=9007199254740993,k=0,l=NULL',
      'j=0,i=9007199254740993',
    ),
  },
  decimals: {
    columns:
      'a DECIMAL(10,2), b DECIMAL(65,30), c DECIMAL(5,0), d DECIMAL(18,9) UNSIGNED, e DECIMAL(3,3), f DECIMAL(10,1)',
    inserts: list(
      "a=-0.01,b='-12345678901234567890123456789012345.123456789012345678901234567890',c=-99999,d=999999999.999999999,e=-0.999,f=1.5",
      "a=12.90,b='0.000000000000000000000000000001',c=0,d=0.000000001,e=0.001,f=-123456789.1",
      'a=-99999999.99,b=0,c=7,d=0,e=0,f=0',
    ),
  },
  fractions: {
    columns: 'a FLOAT, b DOUBLE',
    inserts: list(
      'a=0.1,b=0.1',
      "a='-0.0',b='-0.0'",
      'a=1e38,b=1e308',
      'a=123456.7,b=123456789012345.6',
      'a=1e-10,b=1e-16',
      'a=16777217,b=1e15',
      'a=3.4e-30,b=2.2250738585072014e-308',
      'a=1e15,b=123456789012345678',
      'a=0.0001,b=1e-15',
    ),
  },
  dates: {
    columns:
      'a DATE, b DATETIME, c DATETIME(3), d DATETIME(6), e TIMESTAMP NULL, f TIMESTAMP(6) NULL, g YEAR, h TIMESTAMP(1) NULL, i DATETIME(1), j DATETIME(4)',
    inserts: list(
      "a='2024-02-29',b='2024-03-31 02:30:00',c='2024-01-01 00:00:00.120',d='9999-12-31 23:59:59.999999',e='2024-03-31 02:30:00',f='2038-01-19 03:14:07.999999',g=2155,h='2024-01-01 10:00:00.5',i='2024-01-01 10:00:00.5',j='2024-01-01 10:00:00.0005'",
      "a='0001-01-01',b='1000-01-01 00:00:00',c='1000-01-01 00:00:00.001',d='1000-01-01 00:00:00.000001',e='1970-01-01 00:00:01',f='1970-01-01 00:00:01.000001',g=0,h='1999-12-31 23:59:59.9'",
      "a='1970-01-01',b='1970-01-01',c='1969-12-31 23:59:59.999',d='1969-12-31 23:59:59.999999',e='0000-00-00 00:00:00',f='0000-00-00 00:00:00',g=1901,h=0",
      'g=1970',
    ),
  },
  times: {
    columns: 'a TIME, b TIME(1), c TIME(2), d TIME(3), e TIME(4), f TIME(5), g TIME(6)',
    inserts: [
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
  },
  texts: {
    columns:
      'a VARCHAR(300) CHARACTER SET latin1, b CHAR(20) CHARACTER SET latin1, c TEXT CHARACTER SET utf8mb4, d LONGTEXT CHARACTER SET utf8mb3, e VARCHAR(20) CHARACTER SET ascii, f TINYTEXT CHARACTER SET latin1, g MEDIUMTEXT, h CHAR(255)',
    inserts: list(
      `a=CONVERT(X'${Buffer.from(
        Array.from({ length: 255 }, (_, index) => index + 1).filter(
          (byte) => ![0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte),
        ),
      ).toString(
        'hex',
      )}' USING latin1),b='Müller € ',c='\u{1f600} ﷽',d='ünï',e='plain',f='€',g='\u{feff}begins with a mark',h='x  '`,
      "a='',b='',c='',d='',e='',f='',g='',h=''",
      "a='it''s',c=REPEAT('ä',40000),g=CONCAT('nul',CHAR(0),'in it')",
      String.raw`a='"quoted\\" 12345678901234567890',c='{"n":1e400}'`,
    ),
  },
  bytes: {
    columns: 'a BINARY(16), b VARBINARY(20), c BLOB, d TINYBLOB, e LONGBLOB, f BIT(1), g BIT(10), h BIT(64)',
    inserts: list(
      "a=X'0100',b=X'00FF00',c=X'DEADBEEF',d='',e=REPEAT(X'00',70000),f=b'1',g=b'1000000001',h=X'8000000000000001'",
      "a=X'',b=X'',c=X'',f=b'0',g=0,h=0",
      "a=X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'",
    ),
  },
  labels: {
    columns:
      "a ENUM('x','it''s','a,b','Ü€') CHARACTER SET latin1, b SET('one','two','a b','vier') CHARACTER SET utf8mb4, c ENUM('0','1','2'), d SET('a','b') NOT NULL DEFAULT ''",
    inserts: list(
      "a='it''s',b='one,vier',c='0'",
      "a='a,b',b='',c='2',d='a,b'",
      "a='Ü€',b='two,a b'",
      "a='none of them'",
    ),
  },
  json: {
    columns: 'a JSON, v INT AS (b + 1) VIRTUAL, s VARCHAR(10) AS (CONCAT("n", b)) STORED, b INT',
    inserts: list(`a='{"b": [1, 1.0, 12345678901234567890], "a": "ü"}',b=1`, "a='null',b=NULL", 'a=NULL,b=2'),
  },
};
