import { describe, expect, it } from '@jest/globals';
import { kindOf, labelsOf } from './column.js';
import { assertFollows } from './follow-columns.js';
import type { Table } from './table.js';

const tableWith = (type: string, charset: string | null = null, nullable = true): Table => ({
  database: 'shop',
  name: 'product',
  primaryKey: ['id'],
  columns: [
    {
      name: 'c',
      type,
      charset,
      nullable,
      hasDefault: false,
      generated: false,
      kind: kindOf(type, charset),
      labels: labelsOf(type),
    },
  ],
});
const follows =
  (from: Table, to: Table, statement = 'ALTER TABLE product MODIFY c ...') =>
  () =>
    assertFollows(from, to, ['c'], statement);

describe('a column that was changed', () => {
  it.each([
    ['int(11)', 'bigint(20)'],
    ['decimal(10,2)', 'decimal(12,3)'],
    ["enum('a','b')", "enum('a','b','c')"],
    ['varchar(10)', 'varchar(20)'],
    ['varchar(10)', 'text'],
    ['text', 'longtext'],
    ['datetime', 'datetime(6)'],
    ['int(11)', 'int(10)'],
  ])('from %s to %s is followed', (from, to) => {
    expect(follows(tableWith(from), tableWith(to))).not.toThrow();
  });

  it.each([
    ['bigint(20)', 'int(11)'],
    ['int(11)', 'int(10) unsigned'],
    ['decimal(10,2)', 'decimal(10,1)'],
    ['decimal(10,2)', 'decimal(10,3)'],
    ["enum('a','b')", "enum('b','a')"],
    ["enum('a','b')", "enum('a')"],
    ['varchar(20)', 'varchar(10)'],
    ['varchar(300)', 'tinytext'],
    ['char(5)', 'varchar(5)'],
    ['datetime(6)', 'datetime'],
    ['datetime', 'timestamp'],
    ['varchar(10)', 'int(11)'],
    ['binary(4)', 'binary(8)'],
  ])('from %s to %s may have changed values, so the flow stops', (from, to) => {
    expect(follows(tableWith(from), tableWith(to))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^COLUMN_(CHANGED|TYPE_UNKNOWN)$/) }),
    );
  });

  it('to utf8mb4 keeps its text, from it may not', () => {
    expect(follows(tableWith('varchar(10)', 'latin1'), tableWith('varchar(10)', 'utf8mb4'))).not.toThrow();
    expect(follows(tableWith('varchar(10)', 'utf8mb4'), tableWith('varchar(10)', 'latin1'))).toThrow(
      'was changed',
    );
  });

  it('to NOT NULL had its NULLs replaced', () => {
    expect(follows(tableWith('int(11)', null, true), tableWith('int(11)', null, false))).toThrow(
      'was changed',
    );
  });

  it.each([
    'ALTER TABLE product DROP COLUMN c, ADD COLUMN c INT',
    'ALTER TABLE product drop `c`, add `c` int',
    'ALTER TABLE product CHANGE d c INT, CHANGE c d INT',
    'ALTER TABLE product RENAME COLUMN c TO d, RENAME COLUMN d TO c',
  ])('of the same name can be another one: %s', (statement) => {
    expect(follows(tableWith('int(11)'), tableWith('int(11)'), statement)).toThrow('was changed');
  });

  it.each([
    'ALTER TABLE product CHANGE c c INT',
    'ALTER TABLE product DROP COLUMN cc',
    'ALTER TABLE product ADD COLUMN x INT AFTER c',
    'ALTER TABLE product DROP INDEX x, ADD INDEX c (c)',
  ])('is not touched by %s', (statement) => {
    expect(follows(tableWith('int(11)'), tableWith('int(11)'), statement)).not.toThrow();
  });

  it('that is gone is named', () => {
    expect(follows(tableWith('int(11)'), { ...tableWith('int(11)'), columns: [] })).toThrow(
      'column "c" of table "product", which the mapping reads, is gone',
    );
  });
});
