import { PHASES } from '@strangler/contracts';
import type { GroupReport, MigrationReport } from './report.js';
import { percent } from './words.js';

/** How far the whole is: how many migrations are in which phase. */
export function overview(migrations: readonly Pick<MigrationReport, 'phase'>[]): string {
  if (migrations.length === 0) return 'The plan has no migrations: every request goes to legacy';
  const phases = PHASES.map(
    (phase) => [phase, migrations.filter((one) => one.phase === phase).length] as const,
  )
    .filter(([, number]) => number > 0)
    .map(([phase, number]) => `${number} in ${phase}`);
  return `${migrations.length} ${migrations.length === 1 ? 'migration' : 'migrations'}: ${phases.join(', ')}`;
}

/** What moves as one, in one sentence. */
export const summariseGroup = ({ name, members, phase }: GroupReport): string =>
  `Group "${name}": ${members.map((member) => `"${member}"`).join(', ')} move together, ${phase === null ? 'and stand apart now' : `all in "${phase}"`}`;

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
      ? (next.reason ?? 'no further step')
      : next.ready
        ? `ready for ${next.to}`
        : `not yet ready for ${next.to}: ${missing.map(({ gate }) => gate).join(', ')} unmet`;
  return `"${name}" (${owner}) is in "${phase}"${traffic}${compared}${lag}; ${step}`;
}
