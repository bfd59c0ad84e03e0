import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plan, RoutingState } from '@strangler/contracts';
import type { IsPlain } from './is-plain.js';
import type { PipelineParts } from './pipeline.js';
import type { Serve } from './serve.js';

/** A plan at work: everything the proxy does by it. Nothing in it changes but what the control plane and flags say. */
export type InForce = {
  readonly plan: Plan;
  readonly parts: PipelineParts & { readonly routing: { put(state: RoutingState): void } };
  /** The lane of node:http. */
  readonly pipeline: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** What the express lane carries, and the rest of its way. */
  readonly isPlain: IsPlain;
  readonly serve: Serve;
  /** Lets what was begun end, then lets go of all that no other plan uses. */
  finish(): Promise<void>;
  /** The same at once. */
  end(): Promise<void>;
};

/** One reference to the plan in force. Who has entered keeps the plan found there until it leaves, whatever is put in its place. */
export type PlanInForce = {
  readonly current: InForce;
  enter(): InForce;
  leave(inForce: InForce): void;
  put(next: InForce): void;
  /** The plan in force, and older ones that have not finished yet. */
  all(): readonly InForce[];
  /** Ends them all. */
  end(): Promise<void>;
};

export function createPlanInForce(first: InForce): PlanInForce {
  const users = new Map<InForce, { count: number }>();
  const entryOf = (inForce: InForce): { count: number } => {
    const of = { count: 0 };
    users.set(inForce, of);
    return of;
  };
  let current = first;
  // Nearly every request enters and leaves this one, and looks nothing up.
  let ofCurrent = entryOf(first);
  const finishIfLeft = (inForce: InForce): void => {
    if (inForce === current || users.get(inForce)?.count !== 0) return;
    void inForce.finish().finally(() => users.delete(inForce));
  };
  return {
    get current() {
      return current;
    },
    enter() {
      ofCurrent.count++;
      return current;
    },
    leave(inForce) {
      if (inForce === current) return void ofCurrent.count--;
      const of = users.get(inForce);
      if (of) of.count--;
      finishIfLeft(inForce);
    },
    put(next) {
      const before = current;
      ofCurrent = entryOf(next);
      current = next;
      finishIfLeft(before);
    },
    all: () => [...users.keys()],
    async end() {
      await Promise.all([...users.keys()].map((inForce) => inForce.end()));
    },
  };
}
