import { describe, expect, it } from '@jest/globals';
import { accessLine, maskedAddress } from './access-line.js';

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

  it('is JSON in one line, whatever the request says', () => {
    const line = accessLine({ ...entry, target: '/a"\n{}', method: 'X' });
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({ target: '/a"\n{}', msg: 'why', seconds: 0.5 });
  });

  it('is bounded, whatever the target', () => {
    expect(accessLine({ ...entry, target: `/${'x'.repeat(60_000)}` }).length).toBeLessThan(2_500);
  });
});
