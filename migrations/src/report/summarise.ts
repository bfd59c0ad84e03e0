import type { MigrationReport } from './report.js';
import { percent } from './words.js';

/** One migration in one sentence for somebody who reads nothing else. */
export function summarise(
  migration: Pick<MigrationReport, 'name' | 'owner' | 'phase' | 'share' | 'verdict' | 'next' | 'sync'>,
): string {
  const { name, owner, phase, share, next } = migration;
  const traffic =
    phase === 'canary'
      ? ` with ${percent(share.configured)} of clients on the service (observed ${percent(share.observedClients)} of ${share.clients})`
      : '';
  const compared = phase === 'shadow' || phase === 'canary' ? `; ${migration.verdict}` : '';
  const lag =
    phase === 'legacy' || migration.sync === null || migration.sync.lagMs === null
      ? ''
      : `; the copy is ${Math.round(migration.sync.lagMs)} ms behind`;
  const missing = next.gates.filter(({ met }) => !met);
  const step =
    next.to === null
      ? 'no further step in this version'
      : next.ready
        ? `ready for ${next.to}`
        : `for ${next.to} ${missing.length === 1 ? 'is' : 'are'} missing: ${missing.map(({ gate }) => gate).join(', ')}`;
  return `"${name}" (${owner}) is in "${phase}"${traffic}${compared}${lag}; ${step}`;
}
