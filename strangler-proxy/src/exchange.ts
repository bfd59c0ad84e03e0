import { PassThrough, type Transform } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';
import type { Dispatcher } from 'undici';
import { adaptRelay } from './adapt-relay.js';
import type { Adaptation } from './adapt.js';
import type { Attempt } from './attempt.js';
import { isEventStream } from './capture.js';
import { dispatchByNode } from './dispatch-by-node.js';
import {
  answerIdle,
  answerTimeout,
  bodyTooLarge,
  connectTimeout,
  staleEpoch,
  upstreamReset,
  upstreamTimeout,
  writeLate,
} from './errors.js';
import { sendContinue } from './expect-continue.js';
import { failureOf, type Reached } from './failure-of.js';
import { type RawHeaders, valuesOf, withHost } from './headers.js';
import type { Instance } from './instance.js';
import { limitBody } from './limit-body.js';
import { refuseStale } from './refuse-stale.js';
import { type Refusal, retryLater } from './refuse.js';
import { createRelay } from './relay.js';

/** How sending an attempt to one instance ended. */
export type Ending =
  | { readonly kind: 'answered'; readonly status: number; readonly bytes?: number }
  | { readonly kind: 'unavailable'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: StranglerError; readonly reached: Reached }
  | {
      readonly kind: 'refused';
      readonly error: StranglerError;
      readonly headers?: Refusal['headers'];
    }
  | { readonly kind: 'abandoned' };

/** What is sent of an attempt, once it has been adapted. */
export type Message = {
  readonly target: string;
  readonly headers: RawHeaders;
  /** A body that came along with its head or has been read; any other streams from the request. */
  readonly whole: Buffer | undefined;
  readonly adaptation: Adaptation | undefined;
  /** The upstream is asked whether it wants the body. */
  readonly expects: boolean;
  /** With what undici cannot send. */
  readonly byNode: boolean;
};

/** With these a service says that somebody else should answer. */
export const CANNOT_TAKE_IT: ReadonlySet<number> = new Set([502, 503, 504]);
const OVER = 'the exchange is over';

/**
 * Sends a request to one instance and its answer to the client, each stage within its time: `connect` until the request goes out, `head` until
 * the answer begins (anew with each piece of an upload), `idle` between two pieces of either body from then on, while the client keeps up. Of a body that streams
 * not a byte is read before there is a connection.
 */
export function exchange(
  attempt: Attempt,
  instance: Instance,
  message: Message,
  end: (ending: Ending) => void,
): void {
  const { request, response, accepted, upstream, hold, write, route } = attempt;
  const { connectMs, headMs, idleMs, bodyMs } = upstream.timeouts;
  const { target, whole, adaptation, expects, byNode } = message;
  const unadapted = createRelay(response, attempt);
  const adapted = adaptation
    ? adaptRelay({
        relay: unadapted,
        adaptation,
        upstream: upstream.name,
        isHead: accepted.method === 'HEAD',
        fail: (error) => fail(error),
      })
    : unadapted;
  const relay =
    write && route ? refuseStale(adapted, () => putOff(staleEpoch(route.migration, upstream.name))) : adapted;
  // Not the request itself: undici destroys a body it could not send, and the client's connection would go with it.
  const body = accepted.hasBody && whole === undefined ? passing() : null;
  const settle = instance.begin();
  let controller: Dispatcher.DispatchController | undefined;
  let isOver = false;
  let status = 0;
  let reached: Reached = 'not-sent';
  let timer: NodeJS.Timeout | undefined;
  let total: NodeJS.Timeout | undefined;
  let isTimeout = false;
  let isPaused = false;
  let lastPieceAt = 0;

  function passing(): Transform {
    const limit = attempt.bodyBytes;
    if (limit === undefined) return new PassThrough();
    return limitBody(limit, () => stop({ kind: 'refused', error: bodyTooLarge(limit) }));
  }
  const arm = (ms: number, onTimeout: () => void): void => {
    clearTimeout(timer);
    timer = ms > 0 ? setTimeout(onTimeout, ms) : undefined;
  };
  const finish = (ending: Ending): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    clearTimeout(total);
    response.off('close', onClientGone);
    relay.drop();
    if (body) request.unpipe(body);
    settle(blameOf(ending), status);
    end(ending);
  };
  const stop = (ending: Ending): void => {
    finish(ending);
    controller?.abort(new Error(OVER));
  };
  const fail = (error: StranglerError): void => stop({ kind: 'failed', error, reached });
  const putOff = (error: StranglerError): void => stop({ kind: 'refused', ...retryLater(error) });
  const onClientGone = (): void => stop({ kind: 'abandoned' });
  /** An upload its client pauses is no fault of the instance: slow clients must not open its breaker. */
  const blameOf = ({ kind }: Ending): 'answered' | 'failed' | 'abandoned' => {
    if (kind === 'unavailable') return 'answered';
    if (kind === 'refused') return 'abandoned';
    const isWaiting = reached === 'sent' && body !== null && !request.complete && body.readableLength === 0;
    return kind === 'failed' && isWaiting && isTimeout ? 'abandoned' : kind;
  };
  const onHeadTimeout = (): void => {
    if (status > 0) return onIdle();
    isTimeout = true;
    fail(upstreamTimeout(upstream.name, headMs));
  };
  /** One timer for all stages of an answer: it is not set anew with each piece, but looks when the last one came. */
  const onIdle = (isSure = false): void => {
    const left = isPaused ? idleMs : lastPieceAt + idleMs - performance.now();
    if (left >= 1) return arm(left, () => onIdle());
    if (controller && isEventStream(valuesOf(textsOf(controller.rawHeaders), 'content-type')[0])) return;
    // While the process stood still, what came waits to be read.
    if (!isSure) return void setImmediate(() => isOver || onIdle(true));
    fail(answerIdle(upstream.name, idleMs));
  };

  response.once('close', onClientGone);
  if (response.destroyed || response.closed) return onClientGone();

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      // A client can leave while its request waits for a connection. Without this look the pool ends up full of
      // connections that are paused on responses nobody reads.
      if (isOver) return started.abort(new Error(OVER));
      if (write?.stage === 'late') return putOff(writeLate(write.migration));
      reached = 'sent';
      arm(headMs, onHeadTimeout);
      if (body) request.pipe(body);
    },
    onBodySent() {
      if (status > 0) lastPieceAt = performance.now();
      else if (!isOver) timer?.refresh();
    },
    onResponseStart(started, statusCode, _headers, phrase) {
      if (isOver) return;
      if (statusCode < 200) {
        timer?.refresh();
        return relay.inform(statusCode, textsOf(started.rawHeaders));
      }
      const raw = textsOf(started.rawHeaders);
      if (valuesOf(raw, 'transfer-encoding').some((coding) => !/^chunked$/i.test(coding)))
        return fail(upstreamReset(upstream.name, unknownCoding()));
      status = statusCode;
      reached = 'answering';
      if (hold && CANNOT_TAKE_IT.has(status)) return stop({ kind: 'unavailable', status });
      lastPieceAt = performance.now();
      // Else the timer of the head goes on and becomes that of the answer when its time is over.
      if (idleMs <= headMs) arm(idleMs, () => onIdle());
      if (bodyMs > 0) total = setTimeout(() => fail(answerTimeout(upstream.name, bodyMs)), bodyMs);
      relay.head(status, phrase, raw);
    },
    onResponseData(started, chunk) {
      if (isOver) return started.abort(new Error(OVER));
      lastPieceAt = performance.now();
      if (relay.data(chunk)) return;
      started.pause();
      isPaused = true;
      relay.drained(() => {
        if (isOver) return;
        isPaused = false;
        lastPieceAt = performance.now();
        started.resume();
      });
    },
    onResponseEnd(ended) {
      if (isOver) return;
      // All of it is here: what is left is the client's time.
      clearTimeout(timer);
      relay.end(textsOf(ended.rawTrailers), () => finish({ kind: 'answered', status, bytes: relay.bytes() }));
    },
    onResponseError(_controller, error) {
      if (isOver) return;
      finish({ kind: 'failed', error: failureOf(error, reached, upstream), reached });
    },
  };
  try {
    const { method } = accepted;
    const headers = withHost(message.headers, instance.hostHeader);
    if (byNode && body)
      return dispatchByNode(
        {
          instance,
          method,
          path: target,
          headers,
          request,
          body,
          expect: expects,
          onContinue: () => sendContinue(request),
        },
        handler,
      );
    instance.pool.dispatch(
      {
        path: target,
        method,
        headers,
        body: whole ?? body,
        // Always the same for one instance: undici gives up a connection when it changes.
        servername: instance.servername ?? instance.host,
      } as Dispatcher.DispatchOptions,
      handler,
    );
  } catch (error) {
    return finish({ kind: 'failed', error: failureOf(error, reached, upstream), reached });
  }
  if (reached === 'not-sent' && !isOver) arm(connectMs, () => fail(connectTimeout(upstream.name, connectMs)));
}

const unknownCoding = () =>
  Object.assign(new Error('a transfer coding besides chunks'), { code: 'NOT_HTTP' });

const textsOf = (raw: Dispatcher.DispatchController['rawHeaders']): string[] => {
  if (!Array.isArray(raw)) return [];
  const texts: string[] = [];
  for (const part of raw) texts.push(part.toString('latin1'));
  return texts;
};
