import { describe, expect, it } from '@jest/globals';
import { type Column, kindOf } from './column.js';
import { decodeEventValue, type EventValue } from './debezium-value.js';

const column = (type: string, more: Partial<Column> = {}): Column => ({
  name: 'c',
  type,
  charset: null,
  nullable: true,
  hasDefault: false,
  generated: false,
  kind: kindOf(type, more.charset ?? null),
  labels: [],
  ...more,
});
const decode = (type: string, raw: EventValue, more: Partial<Column> = {}) =>
  decodeEventValue('t', column(type, more), raw);
const lost = expect.objectContaining({ code: 'VALUE_NOT_CARRIED' });

describe('a value of Debezium', () => {
  // What Debezium 3.5 wrote for these on MariaDB 10.11; the test of both sources holds the rest.
  it.each([
    ['bigint(20) unsigned', 'AP//////////', '18446744073709551615'],
    ['bigint(20) unsigned', 'AA==', '0'],
    ['int(7) unsigned zerofill', '42', '0000042'],
    ['float', '0.1', '0.10000000149011612'],
    ['year(4)', '1900', '0000'],
    ['date', '-719162', '0001-01-01'],
    ['datetime(3)', '-30610223999999', '1000-01-01 00:00:00.001'],
    ['datetime(6)', '253402300799999999', '9999-12-31 23:59:59.999999'],
    ['timestamp(6)', '1970-01-01T00:00:00.000000Z', '0000-00-00 00:00:00.000000'],
    ['timestamp(1)', '2024-01-01T10:00:00.5Z', '2024-01-01 10:00:00.5'],
    ['time(6)', '-1', '-00:00:00.000001'],
    ['time', '-3020399000000', '-838:59:59'],
    ["enum('a,b')", String.raw`a\,b`, 'a,b'],
  ])('of a %s, %s, is the text %s', (type, raw, text) => {
    expect(decode(type, raw)).toBe(text);
  });

  it('of bits comes lowest byte first and is turned round', () => {
    expect(decode('bit(10)', 'AQI=')).toEqual(Uint8Array.of(2, 1));
    expect(decode('bit(1)', true)).toEqual(Uint8Array.of(1));
  });

  it('that was lost on the way is an error, never another value', () => {
    expect(() => decode('tinyint(1)', true)).toThrow(lost);
    expect(() => decode('int(11)', null, { nullable: false })).toThrow(lost);
    expect(() => decode('int(11)', undefined)).toThrow(lost);
    expect(() => decode('varchar(9)', 'a\u{fffd}', { charset: 'latin1' })).toThrow(lost);
    expect(() => decode('json', '{}')).toThrow(lost);
    expect(() => decode('uuid', '0000123e')).toThrow(lost);
    expect(decode('varchar(9)', 'a\u{fffd}', { charset: 'utf8mb4' })).toBe('a\u{fffd}');
  });
});
