import { describe, expect, it } from '@jest/globals';
import { checkFences } from './check-fences.js';
import { fencesSchema } from './fences-schema.js';
import { z } from 'zod';

const schema = fencesSchema(z.string());

describe('fences of a plan', () => {
  it('name the account whose privileges are revoked, with quotes or without', () => {
    for (const account of ['app@%', "'app'@'%'", '`app`@`%`'])
      expect(schema.parse({ legacy: { by: 'grants', account } })).toEqual({
        legacy: { by: 'grants', account: { user: 'app', host: '%' } },
      });
    expect(schema.parse({ legacy: { by: 'triggers' } })).toEqual({ legacy: { by: 'triggers' } });
    expect(schema.parse(undefined)).toEqual({});
  });

  it('take nothing that is no account', () => {
    for (const account of ['app', '@%', "app'@%", "a'; DROP TABLE x; --@%", "'app'@'%' , 'b'@'%'"])
      expect(schema.safeParse({ legacy: { by: 'grants', account } }).success).toBe(false);
    expect(schema.safeParse({ legacy: { by: 'grants' } }).success).toBe(false);
  });

  it('stand in databases of the plan', () => {
    const told: unknown[] = [];
    checkFences({ legacy: {}, nowhere: {} }, { legacy: 'mysql://' }, (...problem) => told.push(problem));
    expect(told).toEqual([
      [['fences', 'nowhere'], 'is not a database of the plan', 'name one of "databases"'],
    ]);
  });
});
