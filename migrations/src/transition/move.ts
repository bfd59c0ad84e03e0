import { assertTransition, isForward, type Migration, type Phase, PHASES } from '@strangler/contracts';
import {
  alreadyThere,
  notBackward,
  notForward,
  nothingToRollBack,
  shareNotAllowed,
  shareOutsideCanary,
  takesCutover,
  takesRetirement,
  isRetired,
} from '../errors.js';

/** Where a migration stands when a move is decided. */
export type Position = {
  readonly phase: Phase;
  /** Percent of clients the flag sends to the service now; the ledger's number when the flag cannot tell. */
  readonly share: number;
};

/** A change that the rules allow; its gates have not been asked yet. */
export type Move = {
  readonly direction: 'forward' | 'share-up' | 'share-down' | 'backward';
  /** Every phase it goes through, first and last included; one phase only when the share alone changes. */
  readonly path: readonly Phase[];
  readonly shareFrom: number | null;
  readonly shareTo: number | null;
};

export const startOf = (move: Move): Phase => move.path[0] as Phase;
export const endOf = (move: Move): Phase => move.path.at(-1) as Phase;

export const placeText = (phase: Phase, share: number | null): string =>
  share === null ? `"${phase}"` : `"${phase}" at ${share} %`;

const shareOf = (phase: Phase, share: number) => (phase === 'canary' ? share : null);

/** The next step of the canary above a share; undefined at the top. */
export const nextShare = (migration: Migration, share: number): number | undefined =>
  migration.canary.steps.find((step) => step > share);

function moveShare(name: string, migration: Migration, now: number, wanted: number, force: boolean): Move {
  const { steps } = migration.canary;
  const listed = steps.map((step) => `${step} %`).join(', ');
  if (!steps.includes(wanted)) throw shareNotAllowed(name, wanted, `the plan's canary steps are ${listed}`);
  if (wanted === now) throw alreadyThere(name, `at ${wanted} %`);
  const next = nextShare(migration, now);
  if (wanted > now && wanted !== next && !force)
    throw shareNotAllowed(
      name,
      wanted,
      `the next step is ${next ?? 100} %; the steps are ${listed}, and skipping one takes --force`,
    );
  return {
    direction: wanted > now ? 'share-up' : 'share-down',
    path: ['canary'],
    shareFrom: now,
    shareTo: wanted,
  };
}

/** The step that `advance` would take. Throws the sentence that says why there is none. */
export function decideAdvance(
  name: string,
  migration: Migration,
  { phase, share }: Position,
  wish: { readonly to?: Phase; readonly share?: number; readonly force?: boolean },
): Move {
  const to = wish.to ?? (phase === 'canary' && wish.share !== undefined ? 'canary' : undefined);
  if (phase === 'canary' && (to === undefined || to === 'canary')) {
    const wanted = wish.share ?? nextShare(migration, share);
    if (wanted === undefined) {
      if (to === 'canary') throw alreadyThere(name, `in "canary" at ${share} %`);
      throw takesCutover(name, 'canary', 'extracted');
    }
    return moveShare(name, migration, share, wanted, wish.force ?? false);
  }
  if (phase === 'retired') throw isRetired(name);
  const target = to ?? PHASES[PHASES.indexOf(phase) + 1] ?? phase;
  if (target === phase) throw alreadyThere(name, `in "${phase}"`);
  if (!isForward(phase, target)) throw notForward(name, phase, target);
  assertTransition(name, phase, target);
  if (target === 'extracted') throw takesCutover(name, phase, target);
  if (target === 'retired') throw takesRetirement(name);
  if (wish.share !== undefined && target !== 'canary') throw shareOutsideCanary(name, target);
  const shareTo =
    target === 'canary'
      ? moveShare(name, migration, 0, wish.share ?? nextShare(migration, 0) ?? 100, wish.force ?? false)
          .shareTo
      : null;
  return { direction: 'forward', path: [phase, target], shareFrom: null, shareTo };
}

/** The way back, one phase or down to `to`. Throws the sentence that says why there is none. */
export function decideRollback(name: string, { phase, share }: Position, to?: Phase): Move {
  if (phase === 'legacy') throw nothingToRollBack(name);
  const target = to ?? PHASES[PHASES.indexOf(phase) - 1] ?? 'legacy';
  if (target === phase || isForward(phase, target)) throw notBackward(name, phase, target);
  const path = PHASES.slice(PHASES.indexOf(target), PHASES.indexOf(phase) + 1).toReversed();
  for (const [index, next] of path.slice(1).entries()) {
    const from = path[index] as Phase;
    if (from === 'retired') throw isRetired(name);
    if (from === 'extracted') throw takesCutover(name, from, next);
    assertTransition(name, from, next);
  }
  return { direction: 'backward', path, shareFrom: shareOf(phase, share), shareTo: null };
}

const CONSEQUENCES: Readonly<Record<Phase, string>> = {
  legacy: 'drop of the copy: what was copied to the service is deleted; legacy has every row',
  syncing: 'the tables are copied to the service and kept up to date; all requests stay on legacy',
  shadow: 'the service is asked beside legacy and compared; clients get the answers of legacy',
  canary: 'clients of the share read from the service; writes stay on legacy',
  extracted: 'reads and writes are served by the service',
  retired: 'legacy is no longer kept up to date',
};

/** What a move means for clients and data; of a way back, which kind it is. */
export const consequenceOf = (move: Move): string =>
  move.direction === 'backward' && endOf(move) !== 'legacy'
    ? 'routing only: all requests go to legacy, the copy is kept and kept up to date'
    : CONSEQUENCES[endOf(move)];
