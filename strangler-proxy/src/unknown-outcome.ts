import type { StranglerError } from '@strangler/contracts';
import { writeLate, writeUnknown } from './errors.js';
import type { Write } from './writes.js';

// Nothing of the request had gone out.
const NOT_SENT = new Set(['PROXY_UPSTREAM_REFUSED', 'PROXY_CONNECT_TIMEOUT']);

/** What the client of a write is told that failed while writes change sides; undefined when they do not. It is never sent again by us. */
export function unknownOutcome(
  { stage, migration }: Write,
  upstream: string,
  error: StranglerError,
): StranglerError | undefined {
  if (stage === 'going') return undefined;
  return NOT_SENT.has(error.code) ? writeLate(migration) : writeUnknown(migration, upstream, error);
}
