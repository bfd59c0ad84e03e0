import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from './errors.js';
import { bearerOf } from './guard-admin.js';
import { type RoutingState, routingStateSchema } from './routing-state.js';

/** Where routing states come from. `run` calls `onState` for each newer one until `signal` is aborted; it never throws. */
export type StateSubscription = {
  run(onState: (state: RoutingState) => void | Promise<void>, signal: AbortSignal): Promise<void>;
  /** Asks again at once, at most twice a second: somebody has heard of a newer state. Left out: every state comes at once. */
  askNow?(): void;
};

export type StateSubscriptionOptions = {
  /** Base URL of the control plane. */
  readonly url: string;
  /** Name of this subscriber, unique among live ones, such as `proxy-4711`. */
  readonly subscriber: string;
  /**
   * Port of the subscriber's evidence, on the address it asks from. It goes in a header: a page in somebody's browser can
   * ask questions of a loopback address, it cannot give them headers of its own.
   */
  readonly adminPort?: number;
  /** Of the control plane's admin port. */
  readonly token?: string | undefined;
  /** Told once when contact is lost and once when it is back. */
  readonly onContact?: (contact: { lost: true; reason: string } | { lost: false }) => void;
  readonly fetch?: typeof fetch;
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
};

const POLL_TIMEOUT_MS = 30_000;
const RETRY_MS = 500;
// A stop does not wait longer for a control plane that may not be there.
const FAREWELL_MS = 500;

/** Header by which a subscriber says where its evidence is. */
export const ADMIN_PORT_HEADER = 'x-strangler-admin-port';

/**
 * Long polling over `GET /v1/state?after=VERSION&subscriber=NAME`: 200 with a newer state, 204 when there was none for
 * a while. Asking after version N is the acknowledgement of N, so a state counts as in force only when `onState` is done.
 * One that has evidence says farewell when it ends (`DELETE /v1/subscribers/NAME`): silence without it is a loss.
 */
export function subscribeToState(options: StateSubscriptionOptions): StateSubscription {
  const { url, subscriber, adminPort, onContact = () => {} } = options;
  const ask = options.fetch ?? fetch;
  const sleep =
    options.sleep ?? ((milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => {}));
  let waking = new AbortController();
  let wokenAt = -Infinity;
  return {
    askNow() {
      const at = performance.now();
      if (at - wokenAt < RETRY_MS) return;
      wokenAt = at;
      waking.abort();
    },
    async run(onState, signal) {
      let version = 0;
      let lost = false;
      while (!signal.aborted) {
        if (waking.signal.aborted) waking = new AbortController();
        try {
          const query = new URLSearchParams({ after: String(version), subscriber });
          const response = await ask(`${url}/v1/state?${query.toString()}`, {
            headers: {
              ...bearerOf(options.token),
              ...(adminPort !== undefined && { [ADMIN_PORT_HEADER]: String(adminPort) }),
            },
            signal: AbortSignal.any([signal, waking.signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]),
          });
          if (!response.ok) throw new Error(`status ${response.status}`);
          const state = response.status === 204 ? undefined : routingStateSchema.parse(await response.json());
          if (lost) onContact({ lost: (lost = false) });
          if (state === undefined || state.version <= version) continue;
          await onState(state);
          version = state.version;
        } catch (error) {
          if (signal.aborted) break;
          if (waking.signal.aborted) continue;
          if (!lost) onContact({ lost: (lost = true), reason: reasonOf(error) });
          await sleep(RETRY_MS, AbortSignal.any([signal, waking.signal]));
        }
      }
      if (adminPort === undefined || lost) return;
      await ask(`${url}/v1/subscribers/${encodeURIComponent(subscriber)}`, {
        method: 'DELETE',
        signal: AbortSignal.timeout(FAREWELL_MS),
      }).catch(() => {});
    },
  };
}
