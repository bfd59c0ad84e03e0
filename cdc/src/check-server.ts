import type { Plan, Problem } from '@strangler/contracts';
import { readGrants } from './grants.js';
import { serverSettings } from './server-settings.js';
import { pathOf, type Side } from './sides.js';

/** Privileges with which one writes into a server that is read-only: of MariaDB, of MySQL. */
const PASSING = ['READ_ONLY ADMIN', 'CONNECTION_ADMIN'];
const HOUR_S = 3_600;
/** A batch holds its locks for a second or two, a fence for as long as the longest transaction before it; pools of connections seldom wait longer than the other. */
const SHORTEST_WAIT_S = 5;
const LONGEST_WAIT_S = 100;
/** Duration as a person says it. */
const hours = (seconds: number): string =>
  seconds < HOUR_S
    ? `${Math.round(seconds / 60)} minutes`
    : `${Math.round((seconds / HOUR_S) * 10) / 10} hours`;

/** Settings of a server with which data flow today, and which make an ordinary event expensive. */
export async function checkServer(plan: Plan, name: string, side: Side): Promise<readonly Problem[]> {
  const { connection, captured } = side;
  const path = pathOf(side);
  const settings = await serverSettings(connection, [
    'binlog_expire_logs_seconds',
    'expire_logs_days',
    'innodb_lock_wait_timeout',
    'max_allowed_packet',
    'read_only',
    'super_read_only',
  ]);
  const problems: Problem[] = [];

  if (captured.length > 0) {
    const seconds = retention(settings);
    const needed = Math.ceil(plan.sync.expectedOutageMs / 1_000);
    if (seconds !== undefined && seconds < needed)
      problems.push({
        code: 'LOG_RETENTION_SHORT',
        path,
        message: `keeps its log for ${hours(seconds)}, and an outage of ${hours(needed)} is expected (sync.expectedOutageMs): behind it everything would be copied anew`,
        remedy: 'keep the log longer, there and in its configuration',
        statements: [
          settings.has('binlog_expire_logs_seconds')
            ? `SET GLOBAL binlog_expire_logs_seconds = ${needed}`
            : `SET GLOBAL expire_logs_days = ${Math.ceil(needed / (24 * HOUR_S))}`,
        ],
      });
  }

  const waits = settings.get('innodb_lock_wait_timeout');
  if (waits !== undefined && (Number(waits) < SHORTEST_WAIT_S || Number(waits) > LONGEST_WAIT_S))
    problems.push({
      code: 'LOCK_WAIT',
      path,
      message: `lets a transaction wait ${waits} ${waits === '1' ? 'second' : 'seconds'} for a row that another has locked (innodb_lock_wait_timeout): ${
        Number(waits) < SHORTEST_WAIT_S
          ? 'one of the application that meets a batch that is applied, or a fence that is being closed, fails sooner than these end'
          : 'where a fence is being closed behind a transaction that stays open, all other writes hang that long'
      }`,
      remedy: `let it be between ${SHORTEST_WAIT_S} and ${LONGEST_WAIT_S}, there and in its configuration; the session that applies has a time of its own`,
      statements: ['SET GLOBAL innodb_lock_wait_timeout = 50'],
    });

  const grants = await readGrants(connection);
  const isPassing =
    settings.get('super_read_only') !== 'ON' && PASSING.some((privilege) => grants.allows(privilege, null));
  const hasOthers = (plan.sync.failover[name] ?? []).length > 0;
  if (/^(ON|1)/.test(settings.get('read_only') ?? '') && !isPassing && !hasOthers)
    problems.push({
      code: 'SERVER_READ_ONLY',
      path,
      message:
        'is read-only: data do not flow until it takes writes, since watermarks and rows are written into it',
      remedy: 'let it take writes, or name its primary in the plan',
      statements: ['SET GLOBAL read_only = OFF'],
    });
  return problems;
}

/** Seconds, undefined when logs are kept until somebody removes them. */
function retention(settings: ReadonlyMap<string, string>): number | undefined {
  const seconds =
    Number(settings.get('binlog_expire_logs_seconds') ?? 0) ||
    Number(settings.get('expire_logs_days') ?? 0) * 24 * HOUR_S;
  return seconds > 0 ? seconds : undefined;
}

/** A row that the source can hold has to fit into one statement for the target. */
export async function checkPackets(source: Side, target: Side): Promise<readonly Problem[]> {
  const packet = async ({ connection }: Side) =>
    Number((await serverSettings(connection, ['max_allowed_packet'])).get('max_allowed_packet'));
  const [given, taken] = [await packet(source), await packet(target)];
  return taken >= given
    ? []
    : [
        {
          code: 'PACKET_SMALLER',
          path: pathOf(target),
          message: `takes statements of ${taken} bytes, and "${source.database.name}" of ${given}: a large row may not fit`,
          remedy: 'allow as much, there and in its configuration; sync has to be started again after it',
          statements: [`SET GLOBAL max_allowed_packet = ${given}`],
        },
      ];
}
