import { describeEvent } from '../ledger/describe-event.js';
import { differenceText } from '../gates/comparisons.js';
import type { MigrationReport, Report } from './report.js';
import { count, milliseconds, moment, percent } from './words.js';
import { writesText } from './writes.js';

/** Text in a Markdown table or sentence: what a body or a person wrote must not become markup. */
const md = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]|#~]/g, (character) => `\\${character}`)
    .replace(/\s+/g, ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ''
    : [
        `| ${head.join(' | ')} |`,
        `| ${head.map(() => '---').join(' | ')} |`,
        ...rows.map((row) => `| ${row.map(md).join(' | ')} |`),
      ].join('\n');

function migrationText(migration: MigrationReport): string {
  const { share, served, sync, verification, next } = migration;
  const parts = [
    `## ${md(migration.title)}`,
    table(
      ['', ''],
      [
        [
          'Phase',
          `${migration.phase}${migration.since === null ? '' : `, since ${moment(migration.since)}`}`,
        ],
        ['Owner', migration.owner],
        ...(migration.group === null ? [] : [['Group', migration.group]]),
        ['Share configured', migration.phase === 'canary' ? percent(share.configured) : 'none in this phase'],
        [
          'Share observed',
          `${percent(share.observedClients)} of ${count(share.clients)} clients, ${percent(share.observedRequests)} of ${count(share.requests)} requests`,
        ],
        [
          'Answered by',
          served === null
            ? 'unknown'
            : `legacy ${count(served.legacy)}, service ${count(served.service)}, legacy in place of the service ${count(served.fallback)}`,
        ],
        [
          'Failed answers of the service',
          migration.serviceFailures === null ? 'unknown' : count(migration.serviceFailures),
        ],
        ['Writes', writesText(migration)],
        ['Comparisons', migration.verdict],
        ...(migration.movesData
          ? [
              ['Copy', sync === null ? 'sync did not answer' : (sync.problem ?? sync.state)],
              [
                'Lag',
                sync === null
                  ? 'unknown'
                  : `${milliseconds(sync.lagMs)} now, 99th percentile ${milliseconds(sync.lagMsP99)}`,
              ],
              [
                'Backfill',
                sync === null
                  ? 'unknown'
                  : sync.backfill.tables
                      .map((one) => `${one.table} ${count(one.copied)} of ${count(one.total)}`)
                      .join(', ') || 'none',
              ],
              [
                'Drift',
                verification === null
                  ? 'never verified'
                  : `${count(verification.driftRows)} of ${count(verification.rowsVerified)} rows, ${moment(verification.finishedAt)}`,
              ],
            ]
          : [['Data', 'the migration moves none']]),
      ],
    ),
    migration.warnings.length === 0
      ? ''
      : migration.warnings.map((warning) => `> **Warning:** ${md(warning)}`).join('\n'),
    `### Next: ${next.to === null ? 'no further step' : md(next.to)}`,
    next.reason === null ? '' : md(next.reason),
    table(
      ['Gate', 'Met', 'Measured'],
      next.gates.map((gate) => [gate.gate, gate.met ? 'yes' : 'no', gate.detail]),
    ),
    '### Routes',
    table(
      ['Route', 'Legacy', 'Service', 'Fallback', 'Mismatches', 'Verdict'],
      migration.routes.map((route) => [
        route.route,
        count(route.served.legacy),
        count(route.served.service),
        count(route.served.fallback),
        count(route.comparisons.mismatch),
        route.verdict,
      ]),
    ),
    ...migration.routes
      .filter((route) => route.samples.length > 0)
      .map((route) =>
        [
          `Mismatches of ${md(route.route)}:`,
          ...route.samples.map(
            (sample) =>
              `- ${moment(sample.at)} ${md(sample.request)}: ${sample.differences.map((one) => md(differenceText(one))).join('; ')}`,
          ),
        ].join('\n'),
      ),
    Object.keys(migration.notCompared).length === 0
      ? ''
      : `Not compared: ${Object.entries(migration.notCompared)
          .map(([reason, times]) => `${md(reason)} ${count(times)}`)
          .join(', ')}`,
    '### History',
    table(
      ['When', 'What', 'Why'],
      migration.history.map((event) => [moment(event.at), describeEvent(event), event.why ?? '']),
    ) || 'Nothing yet.',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The report as GitHub-flavoured Markdown. */
export const reportMarkdown = (report: Report): string =>
  `${[
    '# Migration report',
    `${moment(report.at)}, plan ${md(report.plan.file)} (${report.plan.revision})`,
    [...report.summary, ...report.warnings].map((sentence) => `- ${md(sentence)}`).join('\n'),
    table(
      ['Program', 'Answers', 'Detail'],
      report.programs.map((program) => [program.name, program.ok ? 'yes' : 'no', program.detail]),
    ),
    ...report.migrations.map(migrationText),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
