import type { RoutingState } from './routing-state.js';
import type { StateSubscription } from './state-subscription.js';

/** A subscription that a test feeds by hand: `set` resolves when the subscriber has put the state into force. */
export function fakeStateSubscription(
  initial?: RoutingState,
): StateSubscription & { set(state: RoutingState): Promise<void> } {
  let listener: ((state: RoutingState) => void | Promise<void>) | undefined;
  let latest = initial;
  return {
    async run(onState, signal) {
      listener = onState;
      if (latest) await onState(latest);
      if (!signal.aborted)
        await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
      listener = undefined;
    },
    async set(state) {
      latest = state;
      await listener?.(state);
    },
  };
}
