import type { LedgerPart } from '../ledger/ledger.js';
import { endOf, type Move, startOf } from './move.js';
import type { Steps } from './steps.js';

/** The part that may not be mixed with that of another move: flag and ledger. */
export async function change(
  move: Move,
  flag: string,
  events: readonly LedgerPart[],
  steps: Steps,
): Promise<readonly string[]> {
  const share = move.shareTo ?? 0;
  // The flag means nothing before canary, so it is right before the phase gives it a meaning.
  if (move.direction === 'forward' && endOf(move) === 'canary')
    return [await steps.setShare(flag, share), await steps.append(events)];
  // The ledger first: whoever loses against another operator must not have sent a client anywhere.
  if (move.direction === 'share-up') return [await steps.append(events), await steps.setShare(flag, share)];
  if (move.direction === 'share-down') return [await steps.setShare(flag, share), await steps.append(events)];
  // The flag first: it is the fastest way to get clients back, and safe whatever comes after.
  if (move.direction === 'backward' && startOf(move) === 'canary')
    return [await steps.turnOff(flag), await steps.append(events)];
  return [await steps.append(events)];
}

/** The part that only waits: the change is made, now everyone has to follow. */
export async function settle(move: Move, steps: Steps): Promise<readonly string[]> {
  const said: string[] = [];
  if (move.path.length > 1) said.push(await steps.awaitSubscribers());
  if (endOf(move) === 'canary' && move.shareTo !== null) said.push(await steps.awaitShare(move.shareTo));
  return said;
}
