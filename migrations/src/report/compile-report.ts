import { basename } from 'node:path';
import {
  COMPARISONS,
  flagOf,
  groupOf,
  isOver,
  type MigrationTraffic,
  phaseOf,
  type Plan,
  StranglerError,
} from '@strangler/contracts';
import type { LostProxy, Subscriber } from '../control/subscribers.js';
import { answering, type Evidence, type ProxyAnswer } from '../evidence/evidence.js';
import {
  cleanOf,
  comparedRoutes,
  isCompared,
  noEvidenceOf,
  routeVerdict,
  verdict,
} from '../gates/comparisons.js';
import { otherPlan } from '../gates/each-proxy.js';
import { newestVerification } from '../gates/gates.js';
import { foldLedger, routingStateOf, type Standing, UNTOUCHED } from '../ledger/fold.js';
import type { LedgerEvent } from '../ledger/ledger.js';
import { stepsLeft } from '../cutover/steps-left.js';
import { findMigration } from '../transition/look-up.js';
import { endOf, placeText } from '../transition/move.js';
import { decideUnitAdvance, type Part } from '../transition/move-unit.js';
import { unitOf } from '../transition/unit.js';
import type { GroupReport, MigrationReport, Report } from './report.js';
import { overview, summarise, summariseGroup } from './summarise.js';

type Standings = ReadonlyMap<string, Standing>;

export type ReportInput = {
  readonly plan: Plan;
  readonly history: readonly LedgerEvent[];
  readonly evidence: Evidence;
  /** Percent of each migration's flag; null when it cannot be told. */
  readonly shares: Readonly<Record<string, number | null>>;
  readonly subscribers: readonly Subscriber[];
  readonly lost: readonly LostProxy[];
  /** What could not be read, one sentence each. */
  readonly complaints: readonly string[];
};

/** The report of one moment. Pure: everything it says is in its input. */
export function compileReport(input: ReportInput): Report {
  const { plan, history, evidence } = input;
  const standings = foldLedger(history);
  const state = routingStateOf(history);
  const migrations = Object.keys(plan.migrations).map((name) => migrationReport(name, standings, input));
  const groups = Object.keys(plan.groups).map((name) => groupReport(name, plan, standings));
  const orphans = [...standings.keys()].filter(
    (name) => !Object.hasOwn(plan.migrations, name) && phaseOf(state, name) !== 'legacy',
  );
  return {
    at: new Date(evidence.at).toISOString(),
    plan: { file: basename(plan.file), revision: plan.revision },
    stateVersion: state.version,
    subscribers: input.subscribers,
    programs: [
      ...evidence.proxies.map(proxyLine),
      ...(evidence.sync === null
        ? []
        : [
            {
              name: 'sync',
              ok: evidence.sync.ok,
              detail: evidence.sync.ok ? evidence.sync.evidence.instance : evidence.sync.reason,
            },
          ]),
    ],
    requests: evidence.heard?.requests ?? null,
    summary: [overview(migrations), ...groups.map(summariseGroup), ...migrations.map(summarise)],
    warnings: [
      ...input.complaints,
      ...proxyWarnings(input),
      ...orphans.map(
        (name) =>
          `migration "${name}" is in "${phaseOf(state, name)}" in the ledger but not in the plan: its requests go to legacy; put it back or roll it back first`,
      ),
    ],
    groups,
    migrations,
  };
}

function migrationReport(name: string, standings: Standings, input: ReportInput): MigrationReport {
  const standing = standings.get(name) ?? UNTOUCHED;
  const { plan, evidence, history } = input;
  const migration = plan.migrations[name] as Plan['migrations'][string];
  const traffic = evidence.heard?.migrations[name];
  const sync = evidence.sync?.ok ? (evidence.sync.evidence.migrations[name] ?? null) : null;
  const configured = input.shares[name] ?? null;
  const compared = comparedRoutes(migration, traffic);
  return {
    name,
    title: migration.title ?? name,
    owner: migration.owner,
    upstream: migration.upstream,
    flag: migration.flag ?? flagOf(name),
    group: groupOf(plan, name) ?? null,
    phase: standing.phase,
    since: standing.since,
    share: {
      decided: standing.share,
      configured,
      observedClients: traffic?.share.observedClients ?? null,
      observedRequests: traffic?.share.observedRequests ?? null,
      clients: traffic?.share.clients ?? 0,
      requests: traffic?.share.requests ?? 0,
    },
    served: traffic ? servedBy(traffic) : null,
    serviceFailures: traffic?.serviceFailures ?? null,
    comparisons: traffic ? comparisonsOf(traffic) : null,
    cleanSinceMismatch: cleanOf(compared),
    verdict: traffic ? verdict(compared) : 'the proxy did not answer',
    notCompared: notCompared(traffic),
    sync,
    movesData: migration.data !== undefined,
    verification: newestVerification(sync ?? undefined, standing),
    next: nextStep(name, standings, input),
    cutover: standing.cutover && { ...standing.cutover, left: stepsLeft(standing.cutover, plan, name) },
    warnings: warningsOf(name, standing, configured, sync?.problem ?? null, evidence),
    routes: migration.routes.map((route) => {
      const found =
        traffic?.routes.find((one) => one.route === route.match.text) ?? noEvidenceOf(route.match.text);
      const canBeCompared = isCompared(route);
      return {
        ...found,
        compared: canBeCompared,
        verdict: canBeCompared
          ? routeVerdict(found)
          : 'never compared: the service is not asked beside legacy here',
      };
    }),
    history: history.filter((event) => event.migration === name),
  };
}

/** The same decision and the same gates as `advance`, of a group those of all, so that the report never promises what is then refused. */
function nextStep(name: string, standings: Standings, input: ReportInput): MigrationReport['next'] {
  const { plan, evidence, shares } = input;
  const unit = unitOf(plan, name);
  const knowns = unit.members.map((member) => ({
    name: member,
    ...findMigration(plan, member),
    standing: standings.get(member) ?? UNTOUCHED,
    share: shares[member] ?? null,
  }));
  try {
    const parts = decideUnitAdvance(unit, knowns, plan, evidence, {});
    const [{ move }] = parts as readonly [Part];
    const gates = parts.flatMap((part) => part.gates);
    return {
      to: placeText(endOf(move), move.shareTo),
      ready: gates.every(({ met }) => met),
      reason: null,
      gates,
    };
  } catch (error) {
    if (!(error instanceof StranglerError)) throw error;
    return { to: null, ready: false, reason: error.message, gates: [] };
  }
}

function groupReport(name: string, plan: Plan, standings: Standings): GroupReport {
  const members = Object.keys(plan.migrations).filter((member) => groupOf(plan, member) === name);
  const phases = new Set(members.map((member) => (standings.get(member) ?? UNTOUCHED).phase));
  const [phase = null] = phases;
  const flag = plan.migrations[members[0] ?? '']?.flag ?? flagOf(name);
  return { name, flag, members, phase: phases.size === 1 ? phase : null };
}

const servedBy = (traffic: MigrationTraffic) => {
  const sum = (side: 'legacy' | 'service' | 'fallback') =>
    traffic.routes.reduce((total, { served }) => total + served[side], 0);
  return { legacy: sum('legacy'), service: sum('service'), fallback: sum('fallback') };
};

const comparisonsOf = (traffic: MigrationTraffic) =>
  Object.fromEntries(
    COMPARISONS.map((outcome) => [
      outcome,
      traffic.routes.reduce((sum, { comparisons }) => sum + comparisons[outcome], 0),
    ]),
  ) as MigrationReport['comparisons'];

function notCompared(traffic: MigrationTraffic | undefined): Readonly<Record<string, number>> {
  const reasons: Record<string, number> = {};
  for (const route of traffic?.routes ?? [])
    for (const [reason, count] of Object.entries(route.notCompared))
      reasons[reason] = (reasons[reason] ?? 0) + count;
  return reasons;
}

const proxyLine = ({ name, url, answer }: ProxyAnswer): Report['programs'][number] => {
  // Of one that never said who it is, the reason names the address.
  if (!answer.ok)
    return { name: 'proxy', ok: false, detail: name === url ? answer.reason : `"${name}": ${answer.reason}` };
  const { planRevision, stateVersion, inContact } = answer.evidence;
  const contact = inContact ? '' : ', out of contact with the control plane';
  return {
    name: 'proxy',
    ok: true,
    detail: `${name}, plan ${planRevision}, state ${stateVersion}${contact}`,
  };
};

function proxyWarnings({ plan, evidence, lost }: ReportInput): readonly string[] {
  const silent = evidence.proxies.filter(({ answer }) => !answer.ok);
  return [
    ...(evidence.heard !== null && silent.length > 0
      ? [
          `the numbers lack ${silent.map(({ name }) => `proxy "${name}"`).join(', ')}, so no gate is met by them`,
        ]
      : []),
    ...lost.map(
      ({ name, at }) =>
        `proxy "${name}" fell silent at ${at} and never said that it ends: if it still serves clients, what it sees is not in the numbers`,
    ),
    ...answering(evidence.proxies).flatMap((each) => {
      const other = otherPlan(each, plan.revision);
      const rejected = each.plan?.rejected?.problems ?? [];
      const [first] = rejected;
      if (other !== null) return [`proxy "${each.instance}" ${other}`];
      return first
        ? [
            `proxy "${each.instance}" has rejected a plan with ${rejected.length} problems, first ${first.path}: ${first.message}`,
          ]
        : [];
    }),
  ];
}

function warningsOf(
  name: string,
  standing: Standing,
  configured: number | null,
  problem: string | null,
  { proxies }: Evidence,
): readonly string[] {
  const warnings: string[] = [];
  const { cutover } = standing;
  if (cutover && !isOver(cutover.state))
    warnings.push(
      `its writes change sides: ${cutover.to === 'legacy' ? 'rollback' : 'cutover'} ${cutover.epoch} is "${cutover.state}" since ${cutover.at}`,
    );
  if (problem !== null) warnings.push(`sync has stopped: ${problem}`);
  if (standing.phase === 'canary' && configured === null)
    warnings.push('the flag has strategies of its own beside the rollout: its share cannot be told');
  else if (standing.phase === 'canary' && configured !== standing.share)
    warnings.push(
      `the flag says ${configured} %, the ledger decided ${standing.share} %: somebody changed the flag by hand`,
    );
  for (const { instance, migrations } of answering(proxies)) {
    const phase = migrations[name]?.phase;
    if (phase !== undefined && phase !== standing.phase)
      warnings.push(`proxy "${instance}" still works in phase "${phase}"`);
  }
  return warnings;
}
