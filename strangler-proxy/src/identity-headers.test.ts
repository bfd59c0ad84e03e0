import { describe, expect, it } from '@jest/globals';
import { claimHeader, cookiesNamed, withoutCookies, withoutHeaders } from './identity-headers.js';

describe('headers of an identity', () => {
  it('are taken away in every spelling a gateway may read as them', () => {
    const names = new Set(['x-user-id']);
    const raw = ['X-User-Id', '1', 'x_user_id', '2', 'X-USER_ID', '3', 'X-User', 'kept', 'x-user-id', '4'];
    expect(withoutHeaders(raw, names)).toEqual(['X-User', 'kept']);
  });

  it('leave other cookies as they came, and no empty header behind', () => {
    expect(withoutCookies(['Cookie', 'a=b; sid=1;c=d ; SID=2; sidx=3', 'A', 'b'], ['sid'])).toEqual([
      'Cookie',
      'a=b;c=d ; SID=2; sidx=3',
      'A',
      'b',
    ]);
    expect(withoutCookies(['cookie', 'sid=1; sid=2'], ['sid'])).toEqual([]);
  });

  it('know a session by all cookies of its names, in the order in which legacy reads them', () => {
    expect(cookiesNamed('a=b; tenant=x; sid=1;  sid="2"; sid', ['sid', 'tenant'])).toEqual([
      'tenant=x',
      'sid=1',
      'sid="2"',
    ]);
  });

  it.each<[unknown, string | null]>([
    ['anna', 'anna'],
    [7, '7'],
    [true, 'true'],
    ['', ''],
    [['a', 2], 'a,2'],
    [['a', 'b,c'], null],
    [['a', ''], null],
    ['a b', 'a b'],
    [' a', null],
    ['a\nb', null],
    ['ä', null],
    [{}, null],
    [null, null],
  ])('say %j as %j', (claim, text) => {
    expect(claimHeader(claim)).toBe(text);
  });
});
