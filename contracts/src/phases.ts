import { transitionNotAllowed } from './errors.js';

/** The phases of a migration, in order; what each means is the table in docs/design.md. */
export const PHASES = ['legacy', 'syncing', 'shadow', 'canary', 'extracted', 'retired'] as const;
export type Phase = (typeof PHASES)[number];

/** Allowed next phases. `canary -> extracted` and back move writes and data: they are cutovers, not plain transitions. */
export const NEXT_PHASES: Readonly<Record<Phase, readonly Phase[]>> = {
  legacy: ['syncing'],
  syncing: ['shadow', 'legacy'],
  shadow: ['canary', 'syncing'],
  canary: ['extracted', 'shadow'],
  extracted: ['retired', 'canary'],
  retired: [],
};

export function assertTransition(migration: string, from: Phase, to: Phase): void {
  if (!NEXT_PHASES[from].includes(to)) throw transitionNotAllowed(migration, from, to, NEXT_PHASES[from]);
}

export const isForward = (from: Phase, to: Phase): boolean => PHASES.indexOf(to) > PHASES.indexOf(from);

/** Whether changes flow from legacy to the service in this phase. */
export const isSyncedFromLegacy = (phase: Phase): boolean =>
  phase === 'syncing' || phase === 'shadow' || phase === 'canary';

/** Whether changes flow from the service to legacy in this phase. */
export const isSyncedFromService = (phase: Phase): boolean => phase === 'extracted';

/** The side that serves the writes of a migration in this phase. */
export const writesServedBy = (phase: Phase): 'legacy' | 'service' =>
  phase === 'extracted' || phase === 'retired' ? 'service' : 'legacy';

/** A transition that changes who may write: it needs the cutover protocol, and a flag can never do it. */
export const isCutover = (from: Phase, to: Phase): boolean =>
  (from === 'canary' && to === 'extracted') || (from === 'extracted' && to === 'canary');
