import { describe, expect, it } from '@jest/globals';
import { isUpTo, offsetOf, positionOf } from './binlog-offset.js';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const at = (text: string) => positionOf({ text });

describe('an offset', () => {
  it.each(['binlog.000001:4', `mysql-gtid:${UUID}:1-5:7`, 'mariadb-gtid:0-1-9,1-2-3', 'mariadb-gtid:'])(
    '"%s" is read as it was written',
    (text) => {
      expect(offsetOf(at(text)).text).toBe(text);
    },
  );

  it.each(['', 'binlog.000001', 'mysql-gtid:nonsense', `mariadb-gtid:${UUID}:1`])('"%s" is none', (text) => {
    expect(() => at(text)).toThrow(expect.objectContaining({ code: 'LOG_OFFSET_INVALID' }));
  });

  it('that is too long to be kept is not written cut off', () => {
    const many = Array.from({ length: 400 }, (_, index) => `:${index * 2 + 1000}`).join('');
    expect(() => offsetOf(at(`mysql-gtid:${UUID}${many}:${'9'.repeat(3000)}`))).toThrow(
      expect.objectContaining({ code: 'LOG_OFFSET_INVALID' }),
    );
  });

  it.each([
    ['binlog.000009:500', 'binlog.000010:4', true],
    ['binlog.999999:500', 'binlog.1000000:4', true],
    ['binlog.000010:5', 'binlog.000010:4', false],
    [`mysql-gtid:${UUID}:1-5`, `mysql-gtid:${UUID}:1-6`, true],
    [`mysql-gtid:${UUID}:1-5:7`, `mysql-gtid:${UUID}:1-6`, false],
    ['mariadb-gtid:0-1-9', 'mariadb-gtid:0-2-10', true],
    ['mariadb-gtid:0-1-9', 'binlog.000010:4', false],
    ['binlog.000010:4', 'mariadb-gtid:0-1-9', false],
  ])('"%s" is up to "%s": %s', (a, b, isBefore) => {
    expect(isUpTo(at(a), at(b))).toBe(isBefore);
  });
});
