import { describe, expect, it } from '@jest/globals';
import { redactTarget } from './redact.js';

describe('the request in a sample', () => {
  it.each([
    ['/items/1', '/items/1'],
    ['/items?page=2&sort=price', '/items?page=2&sort=price'],
    ['/items?access_token=abc&page=2', '/items?access_token=[redacted]&page=2'],
    ['/login?eMail=a@b&Password=x&flag', '/login?eMail=[redacted]&Password=[redacted]&flag'],
    ['/items?%74oken=abc', '/items?%74oken=[redacted]'],
  ])('of "%s" is "%s"', (target, shown) => {
    expect(redactTarget(target)).toBe(shown);
  });
});
