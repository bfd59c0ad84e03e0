import { describe, expect, it } from '@jest/globals';
import { type Column, kindOf } from './column.js';
import { keepsKeysApart, lossOf } from './narrowing.js';

const column = (type: string, collation: string | null = null): Column => ({
  name: 'c',
  type,
  charset: collation === null ? null : 'utf8mb4',
  collation,
  nullable: true,
  hasDefault: false,
  generated: false,
  kind: kindOf(type, null),
  labels: [],
});

describe('what a target column takes away without an error', () => {
  it.each([
    ['decimal(10,4)', 'decimal(10,2)', 'digits behind the point'],
    ['decimal(10,2)', 'int(11)', 'digits behind the point'],
    ['double', 'bigint(20)', 'digits behind the point'],
    ['double', 'decimal(30,10)', 'digits'],
    ['double', 'float', 'digits'],
    ['int(11)', 'float', 'digits'],
    ['bigint(20)', 'double', 'digits'],
    ['decimal(20,2)', 'double', 'digits'],
    ['datetime(6)', 'datetime', 'fractions of a second'],
    ['timestamp(3)', 'datetime(2)', 'fractions of a second'],
    ['time(1)', 'time', 'fractions of a second'],
    ['datetime', 'date', 'the time of day'],
    ['timestamp', 'time', 'the date'],
    ['varchar(10)', 'char(10)', 'blanks at the end'],
    ['varbinary(4)', 'binary(4)', 'where the bytes end, which it fills up with zeros'],
    ['binary(3)', 'binary(4)', 'where the bytes end, which it fills up with zeros'],
  ])('%s into %s: %s', (from, to, loss) => {
    expect(lossOf(column(from), column(to))).toBe(loss);
  });

  it.each([
    ['decimal(10,2)', 'decimal(12,4)'],
    ['decimal(10,0)', 'bigint(20)'],
    ['decimal(10,2)', 'double'],
    ['int(11)', 'tinyint(4)'],
    ['mediumint(9)', 'float'],
    ['float', 'double'],
    ['datetime', 'datetime(6)'],
    ['date', 'datetime'],
    ['char(10)', 'varchar(10)'],
    ['varchar(10)', 'text'],
    ['binary(4)', 'binary(4)'],
    ['binary(4)', 'varbinary(16)'],
    ['longtext', 'json'],
    ["enum('a','b')", 'varchar(10)'],
  ])('%s into %s: nothing', (from, to) => {
    expect(lossOf(column(from), column(to))).toBeUndefined();
  });
});

describe('keys', () => {
  it.each([
    ['utf8mb4_general_ci', 'utf8mb4_general_ci', true],
    ['utf8mb4_general_ci', 'utf8mb4_bin', true],
    ['utf8mb4_bin', 'utf8mb4_general_ci', false],
    ['utf8mb4_general_ci', 'utf8mb4_0900_ai_ci', false],
    ['utf8mb4_0900_ai_ci', 'utf8mb4_bin', false],
    ['utf8mb4_0900_ai_ci', 'utf8mb4_0900_bin', true],
    ['latin1_swedish_ci', 'utf8mb4_nopad_bin', true],
    ['utf8mb4_bin', null, true],
  ])('in %s kept apart in %s: %s', (from, to, isApart) => {
    expect(keepsKeysApart(column('varchar(10)', from), column('varchar(10)', to))).toBe(isApart);
  });
});
