import type { Phase } from '@strangler/contracts';
import type { Gate } from './gate.js';
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
  shareObserved,
  syncAnswers,
  verifiedClean,
} from './gates.js';

const copyIsGood: readonly GateCheck[] = [syncAnswers, backfillDone, lagSmall, nothingParked, verifiedClean];
const comparisonsAreGood: readonly GateCheck[] = [serviceReady, comparisonsClean, routesCompared];

/**
 * Which gates guard a step forward. `canary -> canary` is the next share. There is no row for `canary -> extracted`:
 * that step is refused before any gate is asked.
 */
export const GATES: Readonly<Partial<Record<`${Phase} -> ${Phase}`, readonly GateCheck[]>>> = {
  'legacy -> syncing': [syncAnswers, proxyAnswers],
  'syncing -> shadow': [proxyAnswers, ...copyIsGood],
  'shadow -> canary': [proxyAnswers, ...copyIsGood, ...comparisonsAreGood],
  'canary -> canary': [
    proxyAnswers,
    syncAnswers,
    lagSmall,
    nothingParked,
    ...comparisonsAreGood,
    serviceHolds,
    shareObserved,
  ],
};

export const gatesOf = (from: Phase, to: Phase, context: GateContext): readonly Gate[] =>
  (GATES[`${from} -> ${to}`] ?? []).map((check) => check(context));
