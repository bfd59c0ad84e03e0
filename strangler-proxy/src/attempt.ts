import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Capture } from './capture.js';
import type { Upstream } from './upstreams.js';

/** One try to have one upstream answer. */
export type Sending = {
  readonly upstream: Upstream;
  /** Keep the beginning of the answer back, so that another upstream can still take over. */
  readonly hold: boolean;
  /** Given to the client along with the answer's own cookies. */
  readonly setCookies: readonly string[];
  /** Gets a copy of the answer. */
  readonly capture?: Capture | undefined;
};

/** The same for a request of node:http. */
export type Attempt = Sending & {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: Accepted;
};

/** How an attempt ended. `failed` leaves it to the caller to answer the client; nothing has been sent unless the response says so. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: StranglerError }
  | { readonly kind: 'unavailable'; readonly status: number }
  | { readonly kind: 'abandoned' };
