import { z } from 'zod';
import { isSigned, sign } from './sign.js';

/** Somebody who may choose a side for a while, to look at a migration before its clients do. */
const testerSchema = z.strictObject({
  /** Shown in the answer, so only what needs no escaping in a header. */
  name: z.string().regex(/^[\w.@-]{1,64}$/),
  side: z.enum(['legacy', 'service']),
  /** Name of a migration, or `*` for each. */
  migration: z.string().regex(/^(?:\*|[a-z][a-z0-9-]{0,62})$/),
  /** Milliseconds since 1970. */
  expiresAt: z.number().int().positive(),
});
export type Tester = z.infer<typeof testerSchema>;

const PURPOSE = 'tester';
// A token cannot be called back other than by a new secret, so it does not live long.
export const LONGEST_TESTER_MS = 30 * 86_400_000;

export const isTesterName = (text: string): boolean => testerSchema.shape.name.safeParse(text).success;

/** A token that proves the tester to every proxy with the same secret. */
export function testerToken(secret: string, tester: Tester): string {
  const text = Buffer.from(JSON.stringify(testerSchema.parse(tester))).toString('base64url');
  return `${text}.${sign(secret, PURPOSE, text)}`;
}

/** The tester of a token; undefined when it is forged, has expired, or lives longer than any that is made here. */
export function testerOf(secret: string, token: string, now: number): Tester | undefined {
  const [text = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || !isSigned(secret, PURPOSE, text, signature)) return undefined;
  const parsed = testerSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  if (!parsed.success) return undefined;
  const left = parsed.data.expiresAt - now;
  return left > 0 && left <= LONGEST_TESTER_MS ? parsed.data : undefined;
}
