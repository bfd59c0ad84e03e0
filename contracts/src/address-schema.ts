import { z } from 'zod';
import { parseAddress } from './address.js';

/** Where a program listens. */
export const address = z.union([z.string(), z.number().int()]).transform((text, context) => {
  const parsed = parseAddress(String(text));
  if (parsed) return parsed;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not an address to listen on`,
    params: { remedy: 'write it as "127.0.0.1:8080"' },
  });
  return z.NEVER;
});

/** The base URL of an HTTP server. */
export const httpUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.username === ''
  )
    return url.origin;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not the base URL of an HTTP server`,
    params: { remedy: 'write it as "http://127.0.0.1:3000", without a path' },
  });
  return z.NEVER;
});
