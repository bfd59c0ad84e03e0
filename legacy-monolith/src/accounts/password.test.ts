import { expect, it } from '@jest/globals';
import { hashPassword, verifyPassword } from './password.js';

it('a password opens its own hash and no other does', () => {
  const hash = hashPassword('secret17', 'a1b2');
  expect(verifyPassword('secret17', hash)).toBe(true);
  expect(verifyPassword('secret18', hash)).toBe(false);
});

it.each([null, '', 'secret17', 'md5$1$a$b'])('the hash %j opens for nobody', (hash) => {
  expect(verifyPassword('secret17', hash)).toBe(false);
});
