import type { Migration } from '@strangler/contracts';
import { describe, expect, it } from '@jest/globals';
import type { Client } from './identify.js';
import { createPins } from './pins.js';
import { planOf } from './proxy.fixture.js';

const plan = (rest: object = {}) =>
  planOf({ at: '/nowhere', legacy: 'http://a:1', service: 'http://b:1', ...rest });
const pins = createPins(plan());
const anna: Client = { kind: 'user', id: 'anna' };
const cookieOf = (setCookie: string) => setCookie.replace(/;.*/, '');
const given = (client: Client, generation = 3, by = pins) =>
  cookieOf(by.give({ isSecure: false }, 'catalog', client, generation));
const read = (cookies: string, client = anna, generation = 3, migration = 'catalog') =>
  pins.read(cookies, migration, client, generation);

describe('a pin', () => {
  it('holds the client it was given to, whatever other cookies come along', () => {
    expect(read(given(anna))).toBe('held');
    expect(read(`a=b; ${given(anna)}; c=d`)).toBe('held');
    expect(read('a=b')).toBe('none');
  });

  it('is a cookie that scripts cannot read, for a year, and by https only where the client came by it', () => {
    const plain = pins.give({ isSecure: false }, 'catalog', anna, 3);
    expect(plain).toMatch(
      /^strangler_pin_catalog=3\.[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(pins.give({ isSecure: true }, 'catalog', anna, 3)).toContain('; Secure');
  });

  it('of an earlier generation is stale; a later one holds, since another replica has heard of it first', () => {
    expect(read(given(anna, 2))).toBe('stale');
    expect(read(given(anna, 4))).toBe('held');
  });

  it.each<[string, string, Client]>([
    ['another user', given(anna), { kind: 'user', id: 'eve' }],
    ['an anonymous client of the same id', given(anna), { kind: 'anonymous', id: 'anna' }],
    ['the same user in another tenant', given(anna), { ...anna, tenant: 'acme' }],
    ['a client of that tenant without it', given({ ...anna, tenant: 'acme' }), anna],
    ['a signature cut short', given(anna).slice(0, -1), anna],
    ['another generation under the same signature', given(anna).replace('=3.', '=9.'), anna],
    ['a generation that is no number', given(anna).replace('=3.', '=x.'), anna],
    ['more behind the signature', `${given(anna)}.x`, anna],
    ['nothing in it', 'strangler_pin_catalog=', anna],
    ['another migration', given(anna).replace('catalog', 'search'), anna],
  ])('is worth nothing with %s', (_what, cookies, client) => {
    expect(read(cookies, client)).toBe(cookies.includes('search') ? 'none' : 'invalid');
  });

  it('of another migration is not believed under this name, and neither is one signed with another secret', () => {
    const [catalog] = Object.values(plan().migrations) as [Migration];
    const two = createPins({
      ...plan(),
      migrations: { ...plan().migrations, search: catalog },
    });
    const search = cookieOf(two.give({ isSecure: false }, 'search', anna, 3));
    expect(read(search.replace('search', 'catalog'))).toBe('invalid');
    const foreign = createPins(plan({ proxy: {} }));
    expect(read(given(anna, 3, foreign))).toBe('held');
    const other = createPins({
      ...plan(),
      proxy: { ...plan().proxy, secret: 'another secret of that length' },
    });
    expect(read(given(anna, 3, other))).toBe('invalid');
  });

  it('does not count where the plan lets clients go back and forth', () => {
    const back = createPins(plan({ canary: { oneWay: false } }));
    expect(back.read(given(anna), 'catalog', anna, 3)).toBeNull();
  });
});
