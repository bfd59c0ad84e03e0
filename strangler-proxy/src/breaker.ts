import { strict as assert } from 'node:assert';
import type { BreakerLimits } from '@strangler/contracts';
import { createRollingCount } from './rolling-count.js';

export type BreakerState = 'closed' | 'open' | 'half-open';

const NEXT: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  closed: ['open'],
  open: ['half-open'],
  'half-open': ['closed', 'open'],
};

/** What `begin` gives and `settle` takes back. */
export type Ticket = number;
// Sent although the breaker would not have it, because there was nobody else: it says nothing.
const UNADMITTED: Ticket = -1;

/** Circuit breaker of one instance. Nothing in it reads a clock: `at` is in milliseconds and comes from the caller. */
export type Breaker = {
  readonly state: () => BreakerState;
  /** Why it opened last. */
  readonly reason: () => string;
  /** Whether a request may be sent. Changes nothing, so it can be asked at any time. */
  admits(at: number): boolean;
  /** A request is sent, admitted or not. An open breaker whose time is over becomes half-open by it. */
  begin(at: number): Ticket;
  /** `null`: the request says nothing of the instance (its client left). What began before the last change of state does not count. */
  settle(ticket: Ticket, well: boolean | null, at: number): void;
};

/** `onChange` is called after each change of state. */
export function createBreaker(
  limits: BreakerLimits,
  onChange: (state: BreakerState) => void = () => {},
): Breaker {
  const requests = createRollingCount(limits.windowMs);
  const failures = createRollingCount(limits.windowMs);
  let state: BreakerState = 'closed';
  let reason = '';
  /** Grows with each change, so that a late result of an earlier state is known as one. */
  let epoch = 0;
  let inARow = 0;
  let openedAt = 0;
  let probes = 0;
  let lastProbeAt = 0;
  let goodProbes = 0;

  const become = (next: BreakerState): void => {
    assert(NEXT[state].includes(next), `a breaker that is ${state} cannot become ${next}`);
    state = next;
    epoch++;
    inARow = probes = goodProbes = 0;
    requests.clear();
    failures.clear();
    onChange(state);
  };
  const open = (why: string, at: number): void => {
    reason = why;
    openedAt = at;
    become('open');
  };
  const isDue = (at: number): boolean => at - openedAt >= limits.openMs;
  // A probe whose answer does not end (an event stream) must not keep the breaker half-open for ever.
  const hasPlace = (at: number): boolean => probes < limits.halfOpen || at - lastProbeAt >= limits.openMs;

  return {
    state: () => state,
    reason: () => reason,
    admits: (at) => state === 'closed' || (state === 'open' ? isDue(at) : hasPlace(at)),
    begin(at) {
      if (state === 'closed') return epoch;
      if (state === 'open') {
        if (!isDue(at)) return UNADMITTED;
        become('half-open');
      } else if (!hasPlace(at)) return UNADMITTED;
      probes++;
      lastProbeAt = at;
      return epoch;
    },
    settle(ticket, well, at) {
      if (ticket !== epoch) return;
      if (state === 'half-open') {
        probes--;
        if (well === false) open('a probe failed', at);
        else if (well && ++goodProbes >= limits.halfOpen) become('closed');
        return;
      }
      if (well === null) return;
      requests.add(at);
      if (well) {
        inARow = 0;
        return;
      }
      failures.add(at);
      inARow++;
      if (inARow >= limits.failures) return open(`${inARow} failures in a row`, at);
      const all = requests.sum(at);
      const failed = failures.sum(at);
      if (all >= limits.minRequests && failed / all >= limits.ratio)
        open(`${failed} of ${all} requests failed`, at);
    },
  };
}
