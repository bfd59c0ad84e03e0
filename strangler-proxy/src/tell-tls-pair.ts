import type { Logger } from 'pino';
import { StranglerError } from '@strangler/contracts';
import type { exportEntrance } from './export-entrance.js';
import type { TlsPair } from './tls-files.js';

/** Says in log and metrics what became of a certificate that was read. */
export function tellTlsPair(
  pair: TlsPair | StranglerError,
  log: Logger,
  { certificates, certificateEnds }: ReturnType<typeof exportEntrance>,
  now: number,
): void {
  if (pair instanceof StranglerError) {
    certificates.inc({ outcome: 'refused' });
    return log.warn({ code: pair.code }, `${pair.message}; the certificate read before stays in force`);
  }
  certificates.inc({ outcome: 'taken' });
  certificateEnds.set(pair.notAfter / 1_000);
  const notAfter = new Date(pair.notAfter).toISOString();
  if (pair.notAfter <= now) log.warn({ notAfter }, 'the TLS certificate has ended: clients will refuse it');
  else log.info({ notAfter }, 'the TLS certificate is in force');
}
