import type { StranglerError } from '@strangler/contracts';
import { answerCut, connectTimeout, upstreamRefused, upstreamReset, upstreamUntrusted } from './errors.js';
import type { Upstream } from './upstreams.js';

/** How far a request had come when it failed. */
export type Reached = 'not-sent' | 'sent' | 'answering';

const UNTRUSTED = /^ERR_(?:TLS|SSL|OSSL)|CERT|VERIFY|UNABLE_TO_GET_(?:ISSUER|CRL)/;
const TIMED_OUT = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** What an error of a connection says, in the words of the stage it came in. */
export function failureOf(
  error: unknown,
  reached: Reached,
  { name, timeouts }: Pick<Upstream, 'name' | 'timeouts'>,
): StranglerError {
  if (reached === 'answering') return answerCut(name, error);
  const codes = [error, ...(error instanceof AggregateError ? (error.errors as unknown[]) : [])].map(
    (each) => (each as NodeJS.ErrnoException | undefined)?.code ?? '',
  );
  // A server that wants a certificate says so, in TLS 1.3, only after the request has gone out; one on Node just hangs up.
  if (codes.some((code) => UNTRUSTED.test(code))) return upstreamUntrusted(name, error);
  if (reached === 'sent') return upstreamReset(name, error);
  return codes.some((code) => TIMED_OUT.has(code))
    ? connectTimeout(name, timeouts.connectMs)
    : upstreamRefused(name, error);
}
