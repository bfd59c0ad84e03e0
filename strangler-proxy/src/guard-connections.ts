import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestLimits, StranglerError } from '@strangler/contracts';
import { headTimeout, headTooLarge, requestMalformed, requestRefused } from './errors.js';
import { redactTarget } from './redact.js';
import { endRefusal, refuseUpgrade } from './refuse.js';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

// How late a slow head may be noticed.
const LOOK_EVERY_MS = 1_000;

/** The part of the limits that Node's server keeps itself. */
export const serverLimits = ({ headBytes, headMs, idleMs }: RequestLimits): ServerOptions => ({
  maxHeaderSize: headBytes,
  headersTimeout: headMs,
  connectionsCheckingInterval: Math.min(LOOK_EVERY_MS, headMs),
  keepAliveTimeout: idleMs,
  // An upload may take as long as it needs; a head may not.
  requestTimeout: 0,
});

export type Refusers = {
  /** Told of what is refused without being a request; `on` is what the error goes out on. */
  readonly onRefused: (error: StranglerError, on?: Duplex) => void;
  /** Answers a request that goes no further. */
  readonly turnAway: (
    request: IncomingMessage,
    answer: ServerResponse | Duplex,
    error: StranglerError,
  ) => void;
};

/**
 * Keeps the connections of clients in order: that broken bytes end them, and that an error is never told in
 * place of an answer that is still on its way. Returns what every listener for requests has to be wrapped in.
 */
export function guardConnections(
  server: Server,
  limits: RequestLimits,
  { onRefused, turnAway }: Refusers,
): (listener: Listener) => Listener {
  const exchanges = new WeakMap<Duplex, Set<ServerResponse>>();
  /** RFC 9112, 9.6: of a connection that is to be closed, no further request is looked at. */
  const ending = new WeakSet<Duplex>();
  // Node would leave the headers above its limit out without a word; ours are counted and refused.
  server.maxHeadersCount = 0;

  server.on('connect', (request, socket) => {
    turnAway(request, socket, requestRefused('CONNECT', 'it asks for a tunnel'));
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // It is told once; bytes that come while the last answers go out change nothing.
    if (ending.has(socket)) return;
    const refusal = refusalOf(error, limits);
    if (!refusal || !socket.writable) return void socket.destroy();
    ending.add(socket);
    onRefused(refusal, socket);
    const onTheirWay = [...(exchanges.get(socket) ?? [])];
    const last = onTheirWay.at(-1);
    if (last && !last.req.complete) {
      if (endRefusal(last)) return;
      // Broken in its body: the connection to the upstream goes with the client's, so the part that was sent is never whole.
      if (onTheirWay.length > 1 || last.headersSent) return void socket.destroy();
      return refuseUpgrade(socket, refusal);
    }
    let left = onTheirWay.length;
    if (left === 0) return refuseUpgrade(socket, refusal);
    for (const response of onTheirWay)
      response.once('close', () => --left === 0 && refuseUpgrade(socket, refusal));
  });

  return (listener) => (request, response) => {
    const { socket } = request;
    const mine = exchanges.get(socket) ?? new Set();
    if (ending.has(socket) || [...mine].some(({ shouldKeepAlive }) => !shouldKeepAlive)) return;
    // Node's parser also takes versions nobody speaks here: "GET /" alone is HTTP/0.9 to it, and any "HTTP/2.0" is well.
    if (!/^1\.[01]$/.test(request.httpVersion)) {
      ending.add(socket);
      const error = requestRefused(
        `${request.method} ${redactTarget(request.url ?? '')}`,
        `HTTP/${request.httpVersion} is not spoken here`,
      );
      return turnAway(request, response, error);
    }
    exchanges.set(socket, mine.add(response));
    response.once('close', () => {
      mine.delete(response);
      if (!response.shouldKeepAlive) ending.add(socket);
    });
    // Node's parser stops at an offer to upgrade and drops what came behind it in the same piece: what comes next could be the
    // middle of a request.
    if (request.headers.upgrade !== undefined) {
      ending.add(socket);
      response.shouldKeepAlive = false;
    }
    listener(request, response);
  };
}

/** undefined when there is nobody left to tell. */
function refusalOf({ code = '' }: NodeJS.ErrnoException, limits: RequestLimits): StranglerError | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return headTooLarge(`${limits.headBytes} bytes`, 'headBytes');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return headTimeout(limits.headMs);
  return code.startsWith('HPE_') ? requestMalformed(code) : undefined;
}
