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

/** What is said only while there is something to say. */
function copyFacts(sync: Status['migrations'][number]['sync']): string[][] {
  const { backfill, recopies = [], strayWrites, verifying, inline } = sync ?? {};
  const facts: string[][] = [];
  if (backfill?.throttled) facts.push(['throttled', backfill.throttled]);
  for (const { table, from, to, looked, total, etaMs, finishedAt } of recopies)
    if (finishedAt === null)
      facts.push([
        'recopy',
        `${table}${from === null ? '' : ` from ${from}`}${to === null ? '' : ` to ${to}`}, ${count(looked)} of ${count(total)} rows of both sides${etaMs === null ? '' : `, ${milliseconds(etaMs)} left`}`,
      ]);
  if (verifying)
    facts.push([
      'verifying',
      `table "${verifying.table}", ${count(verifying.looked)} of about ${count(verifying.total)} rows`,
    ]);
  if (inline && inline.drifted > 0)
    facts.push([
      'drift',
      `${count(inline.drifted)} of ${count(inline.looked)} keys looked at soon after they were written`,
    ]);
  if (strayWrites && strayWrites.count > 0)
    facts.push([
      'stray writes',
      `${count(strayWrites.count)} rows written by others${strayWrites.repaired > 0 ? `, ${count(strayWrites.repaired)} repaired` : ''}${strayWrites.samples[0] ? `, last ${strayWrites.samples[0].table} ${strayWrites.samples[0].key ?? ''}` : ''}`,
    ]);
  if (strayWrites && strayWrites.unwatched !== null)
    facts.push(['stray writes', `cannot be told: ${strayWrites.unwatched}`]);
  return facts;
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
  if (migration.cutover !== null) {
    const { epoch, state, to, at, note, left } = migration.cutover;
    facts.push([
      to === 'legacy' ? 'rollback' : 'cutover',
      `${epoch}, ${state} since ${moment(at)}${note === '' ? '' : `: ${note}`}`,
    ]);
    for (const sentence of left) facts.push(['left', sentence]);
  }
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
    facts.push(...copyFacts(sync));
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
