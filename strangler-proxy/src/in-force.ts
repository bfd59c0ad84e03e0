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
  const users = new Map<InForce, number>([[first, 0]]);
  let current = first;
  const finishIfLeft = (inForce: InForce): void => {
    if (inForce === current || users.get(inForce) !== 0) return;
    void inForce.finish().finally(() => users.delete(inForce));
  };
  return {
    get current() {
      return current;
    },
    enter() {
      users.set(current, (users.get(current) ?? 0) + 1);
      return current;
    },
    leave(inForce) {
      users.set(inForce, (users.get(inForce) ?? 0) - 1);
      finishIfLeft(inForce);
    },
    put(next) {
      const before = current;
      users.set(next, 0);
      current = next;
      finishIfLeft(before);
    },
    all: () => [...users.keys()],
    async end() {
      await Promise.all([...users.keys()].map((inForce) => inForce.end()));
    },
  };
}
