import { otherSide, type SelfTested, type Side } from '@strangler/contracts';
import type { Gate } from '../gates/gate.js';
import {
  backfillDone,
  comparisonsClean,
  type GateCheck,
  type GateContext,
  lagSmall,
  nothingParked,
  proxyAnswers,
  routesCompared,
  serviceHolds,
  serviceReady,
  syncAnswers,
  verifiedClean,
} from '../gates/gates.js';
import { gatesIn, type Unit } from '../transition/unit.js';
import type { FenceLook } from './databases.js';

/** What was asked of databases and sync before writes change sides. */
export type CutoverFacts = {
  readonly fences: readonly FenceLook[];
  readonly transactions: readonly string[];
  readonly idsRunOut: readonly string[];
  /** Of the stream that will run next, for each member. */
  readonly selfTests: readonly (SelfTested & { readonly member: string })[];
};

const TO_SERVICE: readonly GateCheck[] = [
  proxyAnswers,
  syncAnswers,
  backfillDone,
  lagSmall,
  nothingParked,
  verifiedClean,
  serviceReady,
  comparisonsClean,
  routesCompared,
  serviceHolds,
];
// The way back must not hang on what the service has to prove first.
const TO_LEGACY: readonly GateCheck[] = [proxyAnswers, syncAnswers, lagSmall, nothingParked];

/** Without these nothing is safe, and no force takes a unit over them. */
const UNFORCEABLE: ReadonlySet<string> = new Set(['fences', 'sync-answers']);
export const canBeForced = ({ gate }: Gate): boolean => !UNFORCEABLE.has(gate.split('/').at(-1) ?? gate);

/** All that must hold before the writes of a unit move to a side. Pure. */
export function cutoverGates(
  unit: Unit,
  to: Side,
  contexts: readonly GateContext[],
  facts: CutoverFacts,
  needsApproval: boolean,
): readonly Gate[] {
  const checks = to === 'service' ? TO_SERVICE : TO_LEGACY;
  return [
    ...contexts.flatMap((context) =>
      gatesIn(
        unit,
        context.name,
        checks.map((check) => check(context)),
      ),
    ),
    fencesStand(otherSide(to), facts.fences, unit),
    gateOf('transactions', facts.transactions, `no transaction of the ${otherSide(to)} is old`),
    gateOf('id-head-room', facts.idsRunOut, `the ids of the ${to} have room`),
    gateOf(
      'other-stream',
      facts.selfTests.flatMap(({ member, ok, problems }) =>
        ok ? [] : problems.map((problem) => `"${member}": ${problem}`),
      ),
      `the stream from the ${to} to the ${otherSide(to)} has proved that it can run`,
    ),
    ...(needsApproval && to === 'service' ? [approvedBy(unit, contexts)] : []),
  ];
}

const gateOf = (gate: string, problems: readonly string[], good: string): Gate => ({
  gate,
  met: problems.length === 0,
  detail: problems.length === 0 ? good : problems.join('; '),
});

function fencesStand(from: Side, fences: readonly FenceLook[], unit: Unit): Gate {
  const problems = fences.flatMap(({ side, problem, closed }) => {
    if (problem !== null) return [`${side}: ${problem}`];
    if (side === from && closed) return [`${side}: its fence is closed, although it has the authority`];
    if (side !== from && closed === false)
      return [`${side}: its fence is open, although it has no authority`];
    return [];
  });
  const remedy = problems.length > 0 ? [`see "strangler fence status ${unit.name}"`] : [];
  return gateOf('fences', [...problems, ...remedy], 'both fences stand');
}

function approvedBy(unit: Unit, contexts: readonly GateContext[]): Gate {
  const missing = contexts.filter(
    ({ standing, planRevision }) => standing.approved?.planRevision !== planRevision,
  );
  const [one] = contexts;
  return {
    gate: 'approval',
    met: missing.length === 0,
    detail:
      missing.length === 0
        ? `approved by "${one?.standing.approved?.by ?? ''}"`
        : `nobody has approved this plan's cutover: the owner says so with "strangler approve ${unit.name}"`,
  };
}
