import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Capture } from './capture.js';
import type { Upstream } from './upstreams.js';

/** One try to have one upstream answer one request. */
export type Attempt = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: Accepted;
  readonly upstream: Upstream;
  /** Keep the beginning of the answer back, so that another upstream can still take over. */
  readonly hold: boolean;
  /** Given to the client along with the answer's own cookies. */
  readonly setCookies: readonly string[];
  /** The longest body the request may have, counted as it comes. */
  readonly bodyBytes?: number | undefined;
  /** Gets a copy of the answer. */
  readonly capture?: Capture | undefined;
};

/** How an attempt ended. `failed` leaves it to the caller to answer the client; nothing has been sent unless the response says so. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: StranglerError }
  | { readonly kind: 'unavailable'; readonly status: number }
  /** The client asked for what it may not; the upstream is not to blame, and the caller answers. */
  | { readonly kind: 'refused'; readonly error: StranglerError }
  | { readonly kind: 'abandoned' };
