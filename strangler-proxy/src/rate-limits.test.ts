import { describe, expect, it } from '@jest/globals';
import type { RateLimit } from '@strangler/contracts';
import { type Accepted, accept } from './accept.js';
import { clientKeyOf } from './client-key.js';
import type { Route } from './match.js';
import { createRateLimits } from './rate-limits.js';

const from = (remoteAddress: string, ...rawHeaders: string[]) =>
  accept({
    method: 'GET',
    url: '/',
    rawHeaders: ['host', 'a', ...rawHeaders],
    remoteAddress,
    encrypted: false,
  }) as Accepted;
const limit = (by: RateLimit['by'], requests = 1): RateLimit => ({ by, requests, perMs: 1_000 });
const setup = (limits: readonly RateLimit[], mostKeys?: number) => {
  let now = 0;
  const rates = createRateLimits({
    limits,
    identity: { user: { header: 'x-user' }, session: { cookie: 'sid' } },
    now: () => now,
    ...(mostKeys !== undefined && { mostKeys }),
  });
  return {
    take: (accepted: Accepted, route?: Route) => rates.takeAtDoor(accepted) ?? rates.take(accepted, route),
    pass: (by: number) => (now += by),
  };
};
const routeOf = (text: string, rateLimit?: RateLimit) => ({ text, rateLimit }) as unknown as Route;

describe('a rate limit', () => {
  it('by client counts a user wherever they come from, and who names none by address', () => {
    const { take } = setup([limit('client')]);
    expect(take(from('10.0.0.1', 'x-user', 'ann'))).toBeUndefined();
    expect(take(from('10.0.0.2', 'x-user', 'ann'))?.error.status).toBe(429);
    expect(take(from('10.0.0.1', 'x-user', 'bob'))).toBeUndefined();
    expect(take(from('10.0.0.1', 'cookie', 'sid=1'))).toBeUndefined();
    expect(take(from('10.0.0.9', 'cookie', 'sid=1'))?.error.status).toBe(429);
    expect(take(from('10.0.0.1'))).toBeUndefined();
    expect(take(from('10.0.0.1'))?.error.status).toBe(429);
  });

  it('by client is not escaped by throwing the cookie away, or by making one up', () => {
    const { take } = setup([limit('client')]);
    expect(take(from('10.0.0.1', 'cookie', 'strangler_id=a.b'))).toBeUndefined();
    for (const cookie of ['', 'strangler_id=c.d', 'strangler_id=e'])
      expect(take(from('10.0.0.1', 'cookie', cookie))?.error.status).toBe(429);
  });

  it('by address counts a whole IPv6 site as one', () => {
    const { take } = setup([limit('address')]);
    expect(take(from('2001:db8:1:2::1'))).toBeUndefined();
    expect(take(from('2001:db8:1:2:3:4:5:6'))?.error.status).toBe(429);
    expect(take(from('2001:db8:1:3::1'))).toBeUndefined();
    expect(['::1', '::ffff:10.0.0.1', '10.0.0.1', 'fe80::1%eth0', '1::'].map(clientKeyOf)).toEqual([
      '0:0:0:0::/64',
      '10.0.0.1',
      '10.0.0.1',
      'fe80:0:0:0::/64',
      '1:0:0:0::/64',
    ]);
  });

  it('by route counts all clients of a route together, and of no other', () => {
    const { take } = setup([limit('route')]);
    expect(take(from('10.0.0.1'), routeOf('GET /a'))).toBeUndefined();
    expect(take(from('10.0.0.2'), routeOf('GET /a'))?.error.status).toBe(429);
    expect(take(from('10.0.0.2'), routeOf('GET /b'))).toBeUndefined();
    expect(take(from('10.0.0.2'))).toBeUndefined();
  });

  it('of a route comes on top of those of the proxy, and what one refuses costs nothing at the other', () => {
    const { take, pass } = setup([limit('client', 2)]);
    const route = routeOf('GET /a', limit('address'));
    expect(take(from('10.0.0.1'), route)).toBeUndefined();
    expect(take(from('10.0.0.1'), route)?.error.status).toBe(429);
    expect(take(from('10.0.0.1'))).toBeUndefined();
    expect(take(from('10.0.0.1'))?.error.status).toBe(429);
    pass(500);
    expect(take(from('10.0.0.1'))).toBeUndefined();
  });

  it('by address is paid at the door, whatever is found out of the request after it', () => {
    const { take } = setup([limit('address', 2)]);
    const route = routeOf('GET /a', limit('route'));
    expect(take(from('10.0.0.1'), route)).toBeUndefined();
    expect(take(from('10.0.0.1'), route)?.headers['ratelimit']).toContain('"route"');
    expect(take(from('10.0.0.1'))?.headers['ratelimit']).toContain('"address"');
    expect(take(from('10.0.0.2'))).toBeUndefined();
  });

  it('says when to come again, by the headers that clients know', () => {
    const { take, pass } = setup([{ by: 'address', requests: 2, perMs: 60_000, burst: 1 }]);
    expect(take(from('10.0.0.1'))).toBeUndefined();
    pass(500);
    expect(take(from('10.0.0.1'))?.headers).toEqual({
      'retry-after': '30',
      'ratelimit-policy': '"address";q=2;w=60',
      ratelimit: '"address";r=0;t=30',
    });
    pass(29_500);
    expect(take(from('10.0.0.1'))).toBeUndefined();
  });

  it('remembers so many clients and no more, and forgets who was idle longest', () => {
    const { take } = setup([{ ...limit('address'), perMs: 1_000_000 }], 2);
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) expect(take(from(address))).toBeUndefined();
    expect(take(from('10.0.0.3'))?.error.status).toBe(429);
    expect(take(from('10.0.0.1'))).toBeUndefined();
  });
});
