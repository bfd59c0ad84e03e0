import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from './environment.js';

const CATALOG_DATABASE_URL = 'mysql://u:p@db:3306/catalog';

describe('the environment', () => {
  it('needs a database and has a default for everything else', () => {
    expect(readEnvironment({ CATALOG_DATABASE_URL })).toEqual({
      databaseUrl: CATALOG_DATABASE_URL,
      host: '127.0.0.1',
      port: 3100,
      timezone: 'Europe/Berlin',
      rounding: 'once',
    });
  });

  it('takes port 0 and the other rounding', () => {
    const variables = { CATALOG_DATABASE_URL, CATALOG_PORT: '0', CATALOG_ROUNDING: 'twice' };
    expect(readEnvironment(variables)).toMatchObject({ port: 0, rounding: 'twice' });
  });

  it.each([
    ['no database URL', { CATALOG_DATABASE_URL: undefined }, '"CATALOG_DATABASE_URL" is missing'],
    ['a URL without a database', { CATALOG_DATABASE_URL: 'mysql://db/' }, 'names no database'],
    ['a port that is none', { CATALOG_PORT: '70000' }, '"CATALOG_PORT" is not a port'],
    ['an unknown zone', { CATALOG_TIMEZONE: 'Europe/Berlim' }, 'does not know "Europe/Berlim"'],
    ['an unknown rounding', { CATALOG_ROUNDING: 'never' }, 'does not know "never": use "once" or "twice"'],
  ])('refuses %s in one sentence', (_, variables, sentence) => {
    expect(() => readEnvironment({ CATALOG_DATABASE_URL, ...variables })).toThrow(sentence);
  });
});
