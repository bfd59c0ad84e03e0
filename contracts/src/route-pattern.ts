import { patternInvalid } from './errors.js';

/** `*` stands for every method. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '*'] as const;
export type Method = (typeof METHODS)[number];

export type Segment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  /** Matches the rest of the path, at least one segment; only as the last one. */
  | { readonly kind: 'rest' };

/** A parsed `METHOD[,METHOD] /path/:param/*`. */
export type RoutePattern = {
  readonly text: string;
  readonly methods: readonly Method[];
  readonly segments: readonly Segment[];
};

const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text);

/** Throws ROUTE_PATTERN_INVALID with the reason. A GET pattern also covers HEAD (RFC 9110, 9.3.2). */
export function parseRoutePattern(text: string): RoutePattern {
  const match = /^([A-Za-z*]+(?:,[A-Za-z*]+)*) (\/\S*)$/.exec(text.trim());
  if (!match) throw patternInvalid(text, 'write it as "METHOD /path", for example "GET /api/products/:id"');
  const methods: Method[] = [];
  for (const name of (match[1] as string).toUpperCase().split(',')) {
    if (!isMethod(name)) throw patternInvalid(text, `"${name}" is not one of ${METHODS.join(', ')}`);
    if (!methods.includes(name)) methods.push(name);
  }
  if (methods.includes('GET') && !methods.includes('HEAD') && !methods.includes('*')) methods.push('HEAD');
  const path = match[2] as string;
  if (/[?#]/.test(path))
    throw patternInvalid(text, 'a route matches the path only: leave out the query and the fragment');
  if (/%|\\|\/\/|;/.test(path) || /(^|\/)\.{1,2}(\/|$)/.test(path))
    throw patternInvalid(text, 'an encoded, doubled or dotted path is ambiguous: write the plain path');
  const names = new Set<string>();
  const parts = path === '/' ? [] : path.slice(1).split('/');
  const segments = parts.map((part, index): Segment => {
    if (part === '*') {
      if (index !== parts.length - 1)
        throw patternInvalid(text, '"*" stands for the rest of the path, so it can only come last');
      return { kind: 'rest' };
    }
    if (part.startsWith(':')) {
      const name = part.slice(1);
      if (!/^[A-Za-z_]\w*$/.test(name))
        throw patternInvalid(text, `":${name}" needs a name of letters, digits and "_"`);
      if (names.has(name))
        throw patternInvalid(text, `":${name}" is there twice: give each parameter a name of its own`);
      names.add(name);
      return { kind: 'param', name };
    }
    if (part.includes('*') || part.includes(':'))
      throw patternInvalid(text, `"${part}" mixes text with ":" or "*": a parameter is a whole segment`);
    return { kind: 'static', text: part };
  });
  return {
    text: `${methods.filter((name) => name !== 'HEAD' || !methods.includes('GET')).join(',')} ${path}`,
    methods,
    segments,
  };
}

/** Two patterns with the same shape match the same requests, whatever their parameters are called. */
export const shapeOf = (pattern: Pick<RoutePattern, 'segments'>): string =>
  `/${pattern.segments.map((segment) => (segment.kind === 'static' ? segment.text : segment.kind === 'param' ? ':' : '*')).join('/')}`;
