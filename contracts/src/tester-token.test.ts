import { describe, expect, it } from '@jest/globals';
import { sign } from './sign.js';
import { LONGEST_TESTER_MS, type Tester, testerOf, testerToken } from './tester-token.js';

const SECRET = 'a secret of sufficient length';
const NOW = Date.parse('2026-11-23T12:00:00Z');
const anna: Tester = { name: 'anna', side: 'service', migration: 'catalog', expiresAt: NOW + 60_000 };
const token = testerToken(SECRET, anna);

describe('the token of a tester', () => {
  it('proves who it was made for, with the same secret, until it expires', () => {
    expect(testerOf(SECRET, token, NOW)).toEqual(anna);
    expect(testerOf(SECRET, token, NOW + 59_999)).toEqual(anna);
    expect(testerOf(SECRET, token, NOW + 60_000)).toBeUndefined();
    expect(testerOf('another secret of that length', token, NOW)).toBeUndefined();
  });

  it.each([
    [
      'another side',
      `${Buffer.from(JSON.stringify({ ...anna, name: 'eve' })).toString('base64url')}.${token.split('.')[1]}`,
    ],
    ['half of it', token.slice(0, -5)],
    ['more behind it', `${token}.x`],
    ['no signature', token.split('.')[0] ?? ''],
    ['nothing', ''],
    [
      'a signature for another purpose',
      `${token.split('.')[0]}.${sign(SECRET, 'pin', token.split('.')[0] ?? '')}`,
    ],
  ])('proves nothing with %s', (_what, forged) => {
    expect(testerOf(SECRET, forged, NOW)).toBeUndefined();
  });

  it('is not made for names that would need escaping in a header, and lives 30 days at most', () => {
    expect(() => testerToken(SECRET, { ...anna, name: 'anna\r\nx: y' })).toThrow(/Invalid string/);
    const eternal = testerToken(SECRET, { ...anna, expiresAt: NOW + LONGEST_TESTER_MS + 1 });
    expect(testerOf(SECRET, eternal, NOW)).toBeUndefined();
  });
});
