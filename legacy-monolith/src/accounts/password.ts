import { scryptSync, timingSafeEqual } from 'node:crypto';

// The cost of 2011. It is stored with every hash, so that it could have been raised.
const COST = 128;

/** `scrypt$cost$salt$key`, salt and key in hex. */
export function hashPassword(password: string, salt: string): string {
  return `scrypt$${COST}$${salt}$${scryptSync(password, salt, 32, { N: COST }).toString('hex')}`;
}

export function verifyPassword(password: string, hash: string | null): boolean {
  const [scheme, cost, salt, key] = (hash ?? '').split('$');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const expected = Buffer.from(key, 'hex');
  return timingSafeEqual(scryptSync(password, salt, expected.length, { N: Number(cost) }), expected);
}
