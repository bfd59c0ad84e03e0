import { z } from 'zod';
import type { RoutePattern, Segment } from './route-pattern.js';

/** How the paths of requests and of routes are read: one reading, held by the proxy, the checks and the lint. */
export const pathRulesSchema = z
  .strictObject({
    ambiguous: z
      .enum(['legacy', 'refuse'])
      .default('legacy')
      .describe('a path two servers could read differently goes to legacy byte for byte, or is answered 400'),
    case: z
      .enum(['sensitive', 'insensitive'])
      .default('sensitive')
      .describe(
        'insensitive: "/Items" is matched as "/items"; only where legacy and the services read it so',
      ),
    trailingSlash: z
      .enum(['distinct', 'same'])
      .default('distinct')
      .describe('same: "/items/" is matched as "/items"; only where legacy and the services read it so'),
  })
  .prefault({});
export type PathRules = z.infer<typeof pathRulesSchema>;

/** Every byte counts: what a plan without `proxy.paths` says. */
export const EXACT_PATHS: PathRules = pathRulesSchema.parse({});

// Other letters have no case here: the Kelvin sign in lower case is a "k".
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** An unambiguous path in the spelling that stands for all that the rules read alike. */
export function normalPath(path: string, rules: PathRules): string {
  const cased = rules.case === 'insensitive' ? lowerAscii(path) : path;
  return rules.trailingSlash === 'same' && cased.length > 1 && cased.endsWith('/')
    ? cased.slice(0, -1)
    : cased;
}

/** The same for a pattern. */
export function normalSegments(pattern: RoutePattern, rules: PathRules): readonly Segment[] {
  const { segments } = pattern;
  const last = segments.at(-1);
  const kept =
    rules.trailingSlash === 'same' && last?.kind === 'static' && last.text === ''
      ? segments.slice(0, -1)
      : segments;
  if (rules.case === 'sensitive') return kept;
  return kept.map((segment) =>
    segment.kind === 'static' ? { kind: 'static', text: lowerAscii(segment.text) } : segment,
  );
}
