import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Reached } from './failure-of.js';
import type { RetryCause } from './upstream.js';
import type { Write } from './writes.js';

// RFC 9110, 9.2.2: only these may be sent again without being asked.
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Why a request that failed may be sent again, in whichever lane. A timeout is no cause once it has been sent: it may still be worked on.
 * While writes change sides, none is sent again that may have been done: nobody could tell on which side.
 */
export function retryCause(
  { reached, error }: { readonly reached: Reached; readonly error: StranglerError },
  { hasBody, method }: Pick<Accepted, 'hasBody' | 'method'>,
  write?: Pick<Write, 'stage'>,
): RetryCause | undefined {
  if (reached === 'not-sent') return 'not-sent';
  const isReset = reached === 'sent' && error.code === 'PROXY_UPSTREAM_RESET';
  if (write && write.stage !== 'going') return undefined;
  return isReset && !hasBody && REPEATABLE.has(method) ? 'no-answer' : undefined;
}
