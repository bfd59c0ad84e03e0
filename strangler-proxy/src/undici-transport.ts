import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'http-proxy-middleware';
import { StranglerError } from '@strangler/contracts';
import { adapt } from './adapt.js';
import type { Attempt, Outcome } from './attempt.js';
import { bodyTooLarge, transportMisplaced, upstreamTimeout } from './errors.js';
import { exchange } from './exchange.js';
import { askInTheEnd, awaitsContinue, sendContinue } from './expect-continue.js';
import type { Instance } from './instance.js';
import { readWhole } from './read-whole.js';
import { refuse } from './refuse.js';
import { retryCause } from './retry-cause.js';
import { announcedIn, readsTrailers } from './trailers.js';

/** An attempt on its way, and where its outcome goes. */
export type Ongoing = { readonly attempt: Attempt; readonly settle: (outcome: Outcome) => void };

/**
 * A plugin of http-proxy-middleware that carries the requests over undici's pools in place of node:http (36 % less CPU for each
 * request, measured). It ends httpxy's chain of passes before the one that would send the request itself.
 */
export function undiciTransport(ongoingOf: (request: IncomingMessage) => Ongoing): Plugin {
  return (proxy) => {
    const pass = (request: unknown): true => {
      carry(ongoingOf(request as IncomingMessage));
      return true;
    };
    // The passes of httpxy have no names; "before" takes the last one that fits, which is the one that sends.
    proxy.before('web', '', pass);
    // oxlint-disable-next-line no-underscore-dangle -- the only way to see where the pass landed
    if ((proxy._webPasses.at(-2) as unknown) !== pass) throw transportMisplaced();
  };
}

/** Sends an attempt to an instance of its upstream, and again where that is safe. */
function carry({ attempt, settle }: Ongoing): void {
  const { request, response, accepted, upstream, route } = attempt;
  const adaptation = adapt(accepted, upstream, route);
  const announces = accepted.hasBody && announcedIn(request.rawHeaders) !== undefined;
  // Who expects to be asked has the upstream asked, sent along or not: unasked, Node would close the client's connection.
  const mayBeWhole = accepted.hasBody && !announces && !awaitsContinue(request);
  let whole = attempt.body ?? (mayBeWhole ? bodyArrivedWhole(request) : undefined);
  let { headers } = adaptation ?? accepted;
  if (readsTrailers(request.headers.te)) headers = [...headers, 'TE', 'trailers'];
  const edits = accepted.hasBody ? adaptation?.body : undefined;
  const streams = accepted.hasBody && whole === undefined && !edits;
  const expects = streams && awaitsContinue(request);
  const endOfPatience = expects ? askInTheEnd(request) : undefined;
  let left = upstream.retriesPerRequest;
  const most = attempt.bodyBytes ?? Infinity;

  const end = (outcome: Outcome): void => {
    endOfPatience?.();
    // An answer that came before the whole upload: the rest is read away, so that the connection can go on.
    if (accepted.hasBody && !request.complete) request.resume();
    settle(outcome);
  };
  const send = (instance: Instance): void => {
    const target = adaptation?.target ?? accepted.target;
    const message = {
      target,
      headers,
      whole,
      adaptation,
      expects,
      byNode: streams && (expects || announces),
    };
    exchange(attempt, instance, message, (ending) => {
      const mayRetry = ending.kind === 'failed' && left > 0 && !response.destroyed;
      const cause = mayRetry ? retryCause(ending, accepted, attempt.write) : undefined;
      const next = cause && upstream.retry(instance, cause);
      if (next) {
        left--;
        return send(next);
      }
      end(ending);
    });
  };
  if (whole && whole.length > most) return end({ kind: 'refused', error: bodyTooLarge(most) });
  if (!edits) return send(upstream.choose());

  let isOver = false;
  const leave = (outcome?: Outcome): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    response.off('close', onClientGone);
    if (outcome) end(outcome);
  };
  const onClientGone = () => leave({ kind: 'abandoned' });
  const { headMs } = upstream.timeouts;
  const timer = setTimeout(
    () => leave({ kind: 'failed', error: upstreamTimeout(upstream.name, headMs) }),
    headMs,
  );
  response.once('close', onClientGone);
  /** The client's fault is answered by the proxy, and counts against nobody. */
  const refuseRequest = (error: StranglerError): void => {
    if (isOver) return;
    refuse(response, error);
    leave({ kind: 'answered', status: error.status });
  };
  const edit = async (): Promise<void> => {
    sendContinue(request);
    const given = whole ?? (await readWhole(request, Math.min(edits.maxBytes, most), () => timer.refresh()));
    if (given === undefined && most < edits.maxBytes)
      return leave({ kind: 'refused', error: bodyTooLarge(most) });
    if (given === undefined || given.length > edits.maxBytes) return refuseRequest(edits.tooLarge());
    const edited = await edits.edit(given);
    if (edited instanceof StranglerError) return refuseRequest(edited);
    ({ body: whole, headers } = edited);
    if (isOver) return;
    leave();
    send(upstream.choose());
  };
  if (response.destroyed || response.closed) return onClientGone();
  void edit();
}

/** A body that has come along with its head goes on in one piece, without a stream. */
const bodyArrivedWhole = (request: IncomingMessage): Buffer | undefined =>
  request.complete ? ((request.read() as Buffer | null) ?? undefined) : undefined;
