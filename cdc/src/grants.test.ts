import { describe, expect, it } from '@jest/globals';
import { parseGrant } from './grants.js';

describe('a line of SHOW GRANTS', () => {
  it('names privileges, a schema and a table', () => {
    const grant = parseGrant(
      'GRANT SELECT, INSERT (`a`, `b`), REPLICATION SLAVE ON `shop`.`product` TO `me`@`%` WITH GRANT OPTION',
    );
    expect([...(grant?.privileges ?? [])]).toEqual(['SELECT', 'INSERT', 'REPLICATION SLAVE']);
    expect(grant?.schema.test('shop')).toBe(true);
    expect(grant?.schema.test('shops')).toBe(false);
    expect(grant?.table).toBe('product');
  });

  it('has wildcards in its schema, unless they are escaped', () => {
    expect(parseGrant('GRANT ALL PRIVILEGES ON `shop%`.* TO x')?.schema.test('shop_strangler')).toBe(true);
    expect(parseGrant('GRANT ALL PRIVILEGES ON `shop_a`.* TO x')?.schema.test('shopXa')).toBe(true);
    expect(parseGrant('GRANT ALL PRIVILEGES ON `shop\\_a`.* TO x')?.schema.test('shopXa')).toBe(false);
    expect(parseGrant('GRANT ALL PRIVILEGES ON `shop\\_a`.* TO x')?.schema.test('shop_a')).toBe(true);
    expect(parseGrant('GRANT USAGE ON *.* TO x')?.table).toBe('*');
  });

  it('is left alone when it grants a role', () => {
    expect(parseGrant('GRANT `reader` TO `me`@`%`')).toBeUndefined();
  });
});
