import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Capture } from './capture.js';
import type { RawHeaders } from './headers.js';
import type { Route } from './match.js';
import type { Refusal } from './refuse.js';
import type { Upstream } from './upstreams.js';
import type { Write } from './writes.js';

/** One try to have one upstream answer. */
export type Sending = {
  readonly upstream: Upstream;
  /** Given when the upstream is asked as the service of this route. */
  readonly route?: Route | undefined;
  /** Keep the beginning of the answer back, so that another upstream can still take over. */
  readonly hold: boolean;
  /** Given to the client along with the answer's own cookies; asked for when its head has come, and not before. */
  readonly setCookies: Iterable<string>;
  /** The longest body the request may have, counted as it comes. */
  readonly bodyBytes?: number | undefined;
  /** Given to the client besides, names and values in turn; an answer's own headers of these names give way. */
  readonly ownHeaders?: RawHeaders;
  /** Given with a write of a migration; with `route`, the service may say that its epoch is stale. */
  readonly write?: Write | undefined;
  /** Gets a copy of the answer. */
  readonly capture?: Capture | undefined;
};

/** The same for a request of node:http. */
export type Attempt = Sending & {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: Accepted;
  /** Sent in place of the request's own body, which has been read. */
  readonly body?: Buffer | undefined;
  /** Sees the headers of the answer before the client does. */
  readonly onHead?: ((raw: RawHeaders) => void) | undefined;
};

/** How an attempt ended. `failed` leaves it to the caller to answer the client; nothing has been sent unless the response says so. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly bytes?: number }
  | { readonly kind: 'failed'; readonly error: StranglerError }
  | { readonly kind: 'unavailable'; readonly status: number }
  /** The client asked for what it may not; the upstream is not to blame, and the caller answers. */
  | { readonly kind: 'refused'; readonly error: StranglerError; readonly headers?: Refusal['headers'] }
  | { readonly kind: 'abandoned' };
