import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from './environment.js';

const SHOP_DATABASE_URL = 'mysql://root@127.0.0.1:3306/shop';

describe('the environment', () => {
  it('needs nothing but the database', () => {
    expect(readEnvironment({ SHOP_DATABASE_URL })).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: undefined,
      timezone: 'Europe/Berlin',
    });
  });

  it('takes the slash off the public address', () => {
    const { publicUrl } = readEnvironment({ SHOP_DATABASE_URL, SHOP_PUBLIC_URL: 'https://shop.test/' });
    expect(publicUrl).toBe('https://shop.test');
  });

  it.each([
    [{}, /"SHOP_DATABASE_URL" is missing/],
    [{ SHOP_DATABASE_URL: 'mysql://root@127.0.0.1:3306' }, /names no database/],
    [{ SHOP_DATABASE_URL, SHOP_PORT: 'http' }, /"SHOP_PORT" is not a port/],
    [{ SHOP_DATABASE_URL, SHOP_TIMEZONE: 'Europe/Berlyn' }, /does not know "Europe\/Berlyn"/],
  ])('%j is refused with what to write instead', (variables, sentence) => {
    expect(() => readEnvironment(variables)).toThrow(sentence);
  });
});
