import { describe, expect, it } from '@jest/globals';
import { type AccessEntry, accessLine, maskedAddress } from './access-line.js';

describe('an address in the access log', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0'],
    ['2001:db8:1:2:3::4', '2001:db8:1::'],
    ['2001:db8::7', '2001:db8::'],
    ['::1', '::'],
    ['', undefined],
    ['no address', undefined],
  ])('%s is shown as its network %s', (address, shown) => {
    expect(maskedAddress(address, 'masked')).toBe(shown);
  });

  it('is its own, not that of whoever was told last', () => {
    expect(
      ['192.0.2.77', '198.51.100.7', '198.51.100.8', '192.0.2.1'].map((each) =>
        maskedAddress(each, 'masked'),
      ),
    ).toEqual(['192.0.2.0', '198.51.100.0', '198.51.100.0', '192.0.2.0']);
  });

  it('is whole, or left out, where the plan says so', () => {
    expect(maskedAddress('192.0.2.77', 'full')).toBe('192.0.2.77');
    expect(maskedAddress('192.0.2.77', 'none')).toBeUndefined();
  });
});

describe('a line of the access log', () => {
  const entry = {
    level: 30,
    time: 1,
    requestId: 'id',
    traceId: undefined,
    method: 'GET',
    target: '/a',
    route: 'other',
    upstream: 'legacy',
    shadow: false,
    client: undefined,
    address: undefined,
    by: 'legacy',
    status: 200,
    bytes: 2,
    seconds: 0.5,
    reason: 'why',
  } as const;

  it.each<[string, AccessEntry]>([
    ['a refused request', { ...entry, upstream: undefined, by: 'proxy', status: 400, bytes: null }],
    ['a diverted read', { ...entry, client: 'user', address: '192.0.2.0', traceId: 'ab', by: 'service' }],
    ['a request that got no answer', { ...entry, client: 'anonymous', shadow: true, status: null }],
    [
      'what JSON has to escape',
      { ...entry, target: '/"\\\u0001\u007f\u00e9\ud800?q="', requestId: '"', route: '\u2028' },
    ],
  ])('has the fields JSON would write, of %s', (_what, given) => {
    const { reason: msg, ...fields } = given;
    expect(JSON.parse(accessLine(given))).toEqual(JSON.parse(JSON.stringify({ ...fields, msg })));
  });

  it('tells time to the microsecond', () => {
    expect(accessLine({ ...entry, seconds: 0.001_234_567 })).toContain('"seconds":0.001235,');
  });

  it.each([0, 0.000_001, 0.999_999_6, 1, 12.000_04, 86_400.5, -0.25])(
    'writes %s seconds as the number they are, to the microsecond',
    (seconds) => {
      const { seconds: told } = JSON.parse(accessLine({ ...entry, seconds })) as { seconds: number };
      expect(told).toBe(Math.round(seconds * 1_000_000) / 1_000_000);
    },
  );

  it('is JSON in one line, whatever the request says', () => {
    const line = accessLine({ ...entry, target: '/a"\n{}', method: 'X' });
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({ target: '/a"\n{}', msg: 'why', seconds: 0.5 });
  });

  it('is bounded, whatever the target', () => {
    expect(accessLine({ ...entry, target: `/${'x'.repeat(60_000)}` }).length).toBeLessThan(2_500);
  });
});
