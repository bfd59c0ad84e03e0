import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from './errors.js';
import { bearerOf } from './guard-admin.js';
import { type RoutingState, routingStateSchema } from './routing-state.js';

/** Where routing states come from. `run` calls `onState` for each newer one until `signal` is aborted; it never throws. */
export type StateSubscription = {
  run(onState: (state: RoutingState) => void | Promise<void>, signal: AbortSignal): Promise<void>;
};

export type StateSubscriptionOptions = {
  /** Base URL of the control plane. */
  readonly url: string;
  /** Name of this subscriber, unique among live ones, such as `proxy-4711`. */
  readonly subscriber: string;
  /** Of the control plane's admin port. */
  readonly token?: string | undefined;
  /** Told once when contact is lost and once when it is back. */
  readonly onContact?: (contact: { lost: true; reason: string } | { lost: false }) => void;
  readonly fetch?: typeof fetch;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const POLL_TIMEOUT_MS = 30_000;
const RETRY_MS = 500;

/**
 * Long polling over `GET /v1/state?after=VERSION&subscriber=NAME`: 200 with a newer state, 204 when there was none for
 * a while. Asking after version N is the acknowledgement of N, so a state counts as in force only when `onState` is done.
 */
export function subscribeToState(options: StateSubscriptionOptions): StateSubscription {
  const { url, subscriber, onContact = () => {} } = options;
  const ask = options.fetch ?? fetch;
  const sleep =
    options.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}));
  return {
    async run(onState, signal) {
      let version = 0;
      let lost = false;
      while (!signal.aborted) {
        try {
          const query = new URLSearchParams({ after: String(version), subscriber });
          const response = await ask(`${url}/v1/state?${query.toString()}`, {
            headers: bearerOf(options.token),
            signal: AbortSignal.any([signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]),
          });
          if (!response.ok) throw new Error(`status ${response.status}`);
          const state = response.status === 204 ? undefined : routingStateSchema.parse(await response.json());
          if (lost) onContact({ lost: (lost = false) });
          if (state === undefined || state.version <= version) continue;
          await onState(state);
          version = state.version;
        } catch (error) {
          if (signal.aborted) return;
          if (!lost) onContact({ lost: (lost = true), reason: reasonOf(error) });
          await sleep(RETRY_MS, signal);
        }
      }
    },
  };
}
