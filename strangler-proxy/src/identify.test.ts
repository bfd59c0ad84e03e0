import { describe, expect, it } from '@jest/globals';
import { sign } from '@strangler/contracts';
import { type Identity, identify, recognise } from './identify.js';
import { SECRET } from './proxy.fixture.js';

const identity: Identity = { secret: SECRET, identity: {} };
const request = (cookies = '', headers: string[] = [], isSecure = false) => ({ cookies, headers, isSecure });
const newId = () => 'fresh-id';
const cookieOf = (setCookie = '') => setCookie.replace(/;.*/, '');

describe('who a client is', () => {
  it('gives an unknown one a signed cookie that scripts cannot read, for a year', () => {
    const client = identify(request(), identity, newId);
    expect(client).toMatchObject({ kind: 'anonymous', id: 'fresh-id' });
    expect(client.setCookie).toMatch(
      /^strangler_id=fresh-id\.[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('lets the cookie travel by https only when the client came by https', () => {
    expect(identify(request('', [], true), identity, newId).setCookie).toMatch(/; Secure(?:;|$)/);
  });

  it('knows the bearer of its cookie again and gives no new one', () => {
    const cookie = cookieOf(identify(request(), identity, newId).setCookie);
    expect(identify(request(`a=b; ${cookie}`), identity, () => 'another')).toEqual({
      kind: 'anonymous',
      id: 'fresh-id',
    });
  });

  it.each([
    ['another id', (cookie: string) => cookie.replace('fresh-id', 'other-id')],
    ['another signature', (cookie: string) => `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`],
    ['no signature', (cookie: string) => cookie.replace(/\..*/, '')],
    ['nothing in it', () => 'strangler_id='],
    ['half of it', (cookie: string) => cookie.slice(0, -10)],
  ])('replaces a cookie with %s', (_what, spoil) => {
    const cookie = spoil(cookieOf(identify(request(), identity, newId).setCookie));
    expect(recognise(request(cookie), identity)).toBeUndefined();
    expect(identify(request(cookie), identity, () => 'new').setCookie).toContain('strangler_id=new.');
  });

  it('does not believe a cookie signed with another secret', () => {
    const cookie = cookieOf(identify(request(), { ...identity, secret: 'x'.repeat(20) }, newId).setCookie);
    expect(recognise(request(cookie), identity)).toBeUndefined();
  });

  it('does not believe what was signed with its secret for another purpose', () => {
    const cookie = `strangler_id=fresh-id.${sign(SECRET, 'pin', 'fresh-id')}`;
    expect(recognise(request(cookie), identity)).toBeUndefined();
  });

  it('has session, tenant and properties from where the plan says, and no more', () => {
    const sources: Identity = {
      ...identity,
      identity: {
        session: { cookie: 'sid' },
        tenant: { header: 'x-tenant' },
        properties: { plan: { cookie: 'plan' }, country: { header: 'x-country' } },
      },
    };
    expect(
      identify(request('sid=s1; plan=gold; other=1', ['X-Tenant', ' acme ', 'X-Other', '1']), sources, newId),
    ).toMatchObject({
      kind: 'anonymous',
      id: 'fresh-id',
      session: 's1',
      tenant: 'acme',
      properties: { plan: 'gold' },
      setCookie: expect.any(String),
    });
    expect(identify(request('sid=', ['X-Tenant', '  ']), sources, newId)).toEqual({
      kind: 'anonymous',
      id: 'fresh-id',
      setCookie: expect.any(String),
    });
  });

  it('prefers the user the plan knows by cookie or header, and then sets no cookie', () => {
    const byCookie: Identity = { ...identity, identity: { user: { cookie: 'uid' } } };
    const byHeader: Identity = { ...identity, identity: { user: { header: 'x-user' } } };
    expect(identify(request('uid=42'), byCookie, newId)).toEqual({ kind: 'user', id: '42' });
    expect(identify(request('', ['X-User', ' 42 ']), byHeader, newId)).toEqual({ kind: 'user', id: '42' });
    expect(identify(request('uid='), byCookie, newId).kind).toBe('anonymous');
    expect(identify(request('', ['X-User', ' ']), byHeader, newId).kind).toBe('anonymous');
  });
});
