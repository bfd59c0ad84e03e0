import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from './environment.js';

const ORDERS_DATABASE_URL = 'mysql://u:p@db:3306/orders';
const ORDERS_SHOP_URL = 'http://shop:3000/';

describe('the environment', () => {
  it('needs a database and the shop, and has a default for everything else', () => {
    expect(readEnvironment({ ORDERS_DATABASE_URL, ORDERS_SHOP_URL })).toEqual({
      databaseUrl: ORDERS_DATABASE_URL,
      host: '127.0.0.1',
      port: 3200,
      timezone: 'Europe/Berlin',
      shopUrl: 'http://shop:3000',
    });
  });

  it('takes port 0', () => {
    const variables = { ORDERS_DATABASE_URL, ORDERS_SHOP_URL, ORDERS_PORT: '0' };
    expect(readEnvironment(variables)).toMatchObject({ port: 0 });
  });

  it.each([
    ['no database URL', { ORDERS_DATABASE_URL: undefined }, '"ORDERS_DATABASE_URL" is missing'],
    ['a URL without a database', { ORDERS_DATABASE_URL: 'mysql://db/' }, 'names no database'],
    ['a port that is none', { ORDERS_PORT: '70000' }, '"ORDERS_PORT" is not a port'],
    ['an unknown zone', { ORDERS_TIMEZONE: 'Europe/Berlim' }, 'does not know "Europe/Berlim"'],
    ['no shop', { ORDERS_SHOP_URL: undefined }, '"ORDERS_SHOP_URL" is no address of the shop'],
    [
      'a shop that is no web server',
      { ORDERS_SHOP_URL: 'ftp://shop' },
      '"ORDERS_SHOP_URL" is no address of the shop',
    ],
  ])('refuses %s in one sentence', (_, variables, sentence) => {
    expect(() => readEnvironment({ ORDERS_DATABASE_URL, ORDERS_SHOP_URL, ...variables })).toThrow(sentence);
  });
});
