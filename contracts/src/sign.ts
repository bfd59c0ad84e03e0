import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * HMAC-SHA256 of a text, 43 characters of base64url. `purpose` is part of the key, so that what was signed for one purpose
 * proves nothing for another.
 */
export const sign = (secret: string, purpose: string, text: string): string =>
  createHmac('sha256', `${purpose}\0${secret}`).update(text).digest('base64url');

/** Whether `signature` is the one of the text; takes the same time however much of it is right. */
export function isSigned(secret: string, purpose: string, text: string, signature: string): boolean {
  const expected = Buffer.from(sign(secret, purpose, text));
  const actual = Buffer.from(signature);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
