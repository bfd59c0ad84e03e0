import { describe, expect, it } from '@jest/globals';
import { type GtidSet, gtidText, includesGtids, parseGtids, withGtid } from './gtid-set.js';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';
const mysql = (text: string) => parseGtids('mysql', text) as GtidSet;
const mariadb = (text: string) => parseGtids('mariadb', text) as GtidSet;

describe('a set of transaction ids', () => {
  it('of MySQL is printed in one order, with intervals joined', () => {
    expect(gtidText(mysql(`${B}:7,\n${A.toUpperCase()}:4:1-3:9-10`))).toBe(`${A}:1-4:9-10,${B}:7`);
    expect(gtidText(mysql(`${A}:1-3:copy:5-6,${A}:copy:7`))).toBe(`${A}:1-3,${A}:copy:5-7`);
    expect(gtidText(mysql(''))).toBe('');
  });

  it('of MySQL takes ids in any order, and again', () => {
    let set = mysql(`${A}:1-3`);
    for (const id of [`${A}:4`, `${A}:7`, `${B}:1`, `${A}:6`, `${A}:4`, `${A}:tag:1`, `${A}:5`])
      set = withGtid(set, id);
    expect(gtidText(set)).toBe(`${A}:1-7,${A}:tag:1,${B}:1`);
  });

  it('of MariaDB holds the last of each domain', () => {
    const set = withGtid(withGtid(mariadb('1-1-5,0-1-9'), '0-2-10'), '7-1-1');
    expect(gtidText(set)).toBe('0-2-10,1-1-5,7-1-1');
  });

  it('tells what it includes', () => {
    expect(includesGtids(mysql(`${A}:1-9`), mysql(`${A}:2-3:9`))).toBe(true);
    expect(includesGtids(mysql(`${A}:1-3:5-9`), mysql(`${A}:3-5`))).toBe(false);
    expect(includesGtids(mysql(`${A}:1-9`), mysql(`${B}:1`))).toBe(false);
    expect(includesGtids(mysql(`${A}:1`), mysql(''))).toBe(true);
    expect(includesGtids(mariadb('0-2-10'), mariadb('0-1-10'))).toBe(true);
    expect(includesGtids(mariadb('0-1-9'), mariadb('0-1-10'))).toBe(false);
    expect(includesGtids(mariadb('0-1-9'), mariadb('1-1-1'))).toBe(false);
    expect(includesGtids(mariadb(''), mysql(`${A}:1`))).toBe(false);
  });

  it('is not what is malformed', () => {
    for (const text of ['x', A, `${A}:`, `${A}:1-`, `${A}:1-2-3`, '0-1-1'])
      expect(parseGtids('mysql', text)).toBeUndefined();
    for (const text of ['0-1', 'a-b-c', `${A}:1`]) expect(parseGtids('mariadb', text)).toBeUndefined();
    expect(() => withGtid(mariadb(''), `${A}:1`)).toThrow('not a transaction id of mariadb');
  });
});
