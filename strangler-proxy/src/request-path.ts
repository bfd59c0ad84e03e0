import { EXACT_PATHS, normalPath, type PathRules } from '@strangler/contracts';

// Encoded: control characters, the unreserved ones of RFC 3986 2.3 (letters, digits, - . _ ~), / ; \ ? # and % itself.
const ENCODED_AMBIGUOUS = /%(?:[01][0-9a-f]|7f|2[35def]|3[0-9bf]|[46][1-9a-f]|[57][0-9a]|5[cf]|7e)/i;
const PLAIN_AMBIGUOUS = /[\\;#]|\/\/|(?:^|\/)\.{1,2}(?:\/|$)|[^\u0021-\u007e]/;

/**
 * The path of a request target, or null when two servers could read it differently (encoded separators, dot segments,
 * doubled slashes, path parameters, double encoding). Such a request is never matched to a route, so it can only reach legacy.
 */
export function unambiguousPath(target: string): string | null {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (PLAIN_AMBIGUOUS.test(path)) return null;
  if (!path.includes('%')) return path;
  if (ENCODED_AMBIGUOUS.test(path)) return null;
  try {
    decodeURIComponent(path);
    return path;
  } catch {
    return null;
  }
}

/** The same in the spelling that stands for all that the plan reads alike; only this one is compared with routes. */
export function pathToMatch(target: string, rules: PathRules = EXACT_PATHS): string | null {
  const path = unambiguousPath(target);
  return path === null ? null : normalPath(path, rules);
}
