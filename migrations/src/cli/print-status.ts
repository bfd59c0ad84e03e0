import type { Status } from '../report/report.js';
import { summariseGroup } from '../report/summarise.js';
import { count, milliseconds, moment, percent } from '../report/words.js';
import { gateLines } from './fail.js';
import { columns } from './terminal.js';

/** The status for a terminal: one block for each migration, most important first. */
export function statusText(status: Status): string {
  const head = [
    `plan ${status.plan.file}, revision ${status.plan.revision}, ${moment(status.at)}\n`,
    ...status.programs.map(({ name, ok, detail }) => `${name}: ${ok ? detail : `no evidence, ${detail}`}\n`),
    `subscribers: ${
      status.subscribers
        .map(
          ({ name, acknowledged }) =>
            `${name}${acknowledged < status.stateVersion ? ' (not yet at the newest state)' : ''}`,
        )
        .join(', ') || 'none'
    }\n`,
    ...status.groups.map((group) => `${summariseGroup(group)}\n`),
    ...status.warnings.map((warning) => `warning: ${warning}\n`),
  ];
  if (status.migrations.length === 0) head.push('the plan has no migrations: every request goes to legacy\n');
  return [...head, ...status.migrations.map(migrationText)].join('');
}

function migrationText(migration: Status['migrations'][number]): string {
  const { share, served, sync, verification, next } = migration;
  const facts: string[][] = [
    ['phase', `${migration.phase}${migration.since === null ? '' : ` since ${moment(migration.since)}`}`],
  ];
  if (migration.group !== null) facts.push(['group', migration.group]);
  if (migration.phase === 'canary')
    facts.push([
      'share',
      `${percent(share.configured)} configured, ${percent(share.observedClients)} of ${count(share.clients)} clients observed`,
    ]);
  if (served !== null)
    facts.push([
      'served',
      `legacy ${count(served.legacy)}, service ${count(served.service)}, legacy in its place ${count(served.fallback)}`,
    ]);
  facts.push(['comparisons', migration.verdict]);
  if (migration.movesData && migration.phase !== 'legacy') {
    const tables = sync?.backfill.tables ?? [];
    const copied = tables.reduce((sum, table) => sum + table.copied, 0);
    const total = tables.reduce((sum, table) => sum + table.total, 0);
    facts.push([
      'copy',
      sync === null
        ? 'unknown, sync did not answer'
        : `${sync.state}, ${count(copied)} of ${count(total)} rows, lag ${milliseconds(sync.lagMs)} (99th percentile ${milliseconds(sync.lagMsP99)})`,
    ]);
    facts.push([
      'drift',
      verification === null
        ? 'never verified'
        : `${count(verification.driftRows)} of ${count(verification.rowsVerified)} rows, ${moment(verification.finishedAt)}`,
    ]);
  }
  facts.push([
    'next',
    next.to === null ? (next.reason ?? 'none') : `${next.to}: ${next.ready ? 'ready' : 'gates unmet'}`,
  ]);
  return [
    `\n${migration.name} (${migration.owner})\n`,
    columns(facts.map(([name = '', value = '']) => [`  ${name}`, value])),
    gateLines(next.gates).replaceAll(/^/gm, '  ').trimEnd(),
    next.gates.length === 0 ? '' : '\n',
    ...migration.warnings.map((warning) => `  warning: ${warning}\n`),
  ].join('');
}
