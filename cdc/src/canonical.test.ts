import { describe, expect, it } from '@jest/globals';
import { canonical } from './canonical.js';
import { type Column, kindOf } from './column.js';

const column = (type: string): Column => ({
  name: 'c',
  type,
  charset: null,
  nullable: true,
  hasDefault: false,
  generated: false,
  kind: kindOf(type, null),
  labels: [],
});
const bytes = (...values: number[]) => Buffer.from(values);

describe('two ways to write one value of a target column', () => {
  it.each([
    ['decimal(10,4)', '12.90', '12.9000'],
    ['decimal(10,2)', '-0.00', '0.00'],
    ['int(5) unsigned zerofill', '7', '00007'],
    ['bigint(20)', '100', '100'],
    ['float', '0.10000000149011612', '0.1'],
    ['double', '1e15', '1000000000000000'],
    ['datetime(6)', '2024-01-01 10:00:00', '2024-01-01 10:00:00.000000'],
    ['datetime', '2024-01-01', '2024-01-01 00:00:00'],
    ['time(2)', '10:00:00.5', '10:00:00.50'],
    ['char(5)', 'a  ', 'a'],
    ['json', '{"b":1,"a":[1,2]}', '{"a": [1, 2], "b": 1}'],
    ['json', '[1.0, 1e2, 12345678901234567890]', '[1, 100, 12345678901234567890]'],
    ["set('a','b')", 'b,a', 'a,b'],
    ['binary(4)', bytes(1, 2), bytes(1, 2, 0, 0)],
    ['bit(10)', bytes(1), bytes(0, 1)],
    ['bit(10)', '513', bytes(2, 1)],
    ['bit(1)', '0', bytes(0)],
    ['varbinary(4)', 'ab', bytes(97, 98)],
  ])('in %s: %p is %p', (type, one, other) => {
    expect(canonical(one, column(type))).toBe(canonical(other, column(type)));
  });

  it.each([
    ['decimal(10,4)', '12.9', '12.91'],
    ['decimal(10,4)', '100', '10'],
    ['bigint(20)', '9007199254740993', '9007199254740992'],
    ['varchar(5)', 'a ', 'a'],
    ['varchar(5)', 'A', 'a'],
    ['datetime', '2024-01-01 10:00:00', '2024-01-01 10:00:01'],
    ['json', '[1,2]', '[2,1]'],
    ['json', '9007199254740993', '9007199254740992'],
    ['json', '{"n": 12345678901234567890}', '{"n": 12345678901234567000}'],
    ['varbinary(4)', bytes(1), bytes(1, 0)],
    ['varchar(5)', '', null],
  ])('in %s: %p is not %p', (type, one, other) => {
    expect(canonical(one, column(type))).not.toBe(canonical(other, column(type)));
  });
});
