import type { StranglerError } from '@strangler/contracts';
import type { Entry } from './admission.js';
import { answerHeaders } from './answer-headers.js';
import type { Outcome, Sending } from './attempt.js';
import { admitted } from './authenticate.js';
import { recognise } from './identify.js';
import type { Verdict } from './judge.js';
import type { PipelineParts } from './pipeline.js';
import { recordServed } from './record-served.js';
import { retryLater } from './refuse.js';
import type { Ending } from './tell-served.js';
import { unknownOutcome } from './unknown-outcome.js';
import type { Write } from './writes.js';

/** A client's request and the way of its answer. The flow serves it without knowing which lane carries it. */
export type Exchange = {
  /** The head of an answer has gone out: nobody else can answer any more. */
  begun(): boolean;
  /** Tells a tester what decided, with the answer that comes next; nothing for anybody else. */
  tell(verdict: Verdict, fellBack: boolean): void;
  /** Answers with the error; an answer that has begun is cut. `close`: what is left of the request will not be read. */
  refuse(error: StranglerError, how?: { headers?: Readonly<Record<string, string>>; close?: boolean }): void;
};

/** What a request has brought along from before it was judged. */
export type Brought = Pick<Ending, 'startedAt' | 'decidedAt' | 'tries'> & {
  readonly entry: Pick<Entry, 'moveTo'>;
  /** Cookies of legacy, which was asked whose session it is. */
  readonly setCookies?: readonly string[] | undefined;
  /** Of a write of a migration. */
  readonly write?: Write | undefined;
};

/** A request on its way. The lane sends what it is told, and says what became of it, until nothing more is to be sent. */
export type Serving = {
  readonly first: Sending;
  /** What is to be sent now; undefined when the request is over and recorded. */
  next(outcome: Outcome): Sending | undefined;
};

/** Steps and no promises: a lane that waits for nothing needs no turn of its own for each of them. */
export type Serve = (verdict: Verdict, brought: Brought, exchange: Exchange) => Serving;

/** forward -> (shadow ->) compare -> record: what becomes of a request that has been judged, whichever lane carries it. */
export function createServe(parts: Omit<PipelineParts, 'forward'>): Serve {
  const { admission, upstreams, shadow, log, now, authenticate } = parts;
  return (verdict, { setCookies, entry, write, startedAt, decidedAt, tries }, exchange) => {
    const { accepted, route, decision, service } = verdict;
    const capture = decision.shadow && route ? shadow.reserve(route) : undefined;
    exchange.tell(verdict, false);
    const ownHeaders = answerHeaders(accepted, parts.entrance);
    const bodyBytes = admission.bodyBytes(route);
    const { moved, stayed } = cookiesFor(parts, verdict, setCookies);
    let upstream = upstreams.get(decision.upstream);
    let fellBack = false;
    let serviceFailed = false;

    const end = (outcome: Outcome): undefined => {
      const unanswered =
        outcome.kind !== 'answered' && isOwnWrite(parts, verdict)
          ? { 'set-cookie': parts.ownWrites.give(accepted, recognise(accepted, parts.identity), false) }
          : undefined;
      if (outcome.kind === 'failed') {
        log.warn(
          { code: outcome.error.code, method: accepted.method, route: route?.text ?? 'other' },
          outcome.error.message,
        );
        const unknown = write && unknownOutcome(write, upstream.name, outcome.error);
        if (unknown) parts.refused(unknown);
        const { error, headers } = unknown ? retryLater(unknown) : { error: outcome.error, headers: {} };
        exchange.refuse(error, { headers: { ...headers, ...unanswered } });
      }
      const refused = outcome.kind === 'refused' ? outcome : undefined;
      if (refused) {
        parts.refused(refused.error);
        if (refused.error.code === 'PROXY_STALE_EPOCH') parts.gate.outdated();
        exchange.refuse(refused.error, {
          headers: { ...refused.headers, ...unanswered },
          close: accepted.hasBody,
        });
      }

      recordServed(parts, verdict, {
        startedAt,
        decidedAt,
        tries,
        upstream: upstream.name,
        by: fellBack ? 'fallback' : decision.side,
        status: exchange.begun() && outcome.kind === 'answered' ? outcome.status : null,
        failed: outcome.kind === 'failed',
        serviceFailed,
        bytes: outcome.kind === 'answered' ? (outcome.bytes ?? null) : null,
        endedAt: now(),
        refusal: refused?.error,
      });
      if (capture && route)
        shadow.submit(
          capture,
          {
            accepted,
            route,
            control: upstreams.get('legacy'),
            candidate: service,
            forCandidate: authenticate && route.guard && (() => admitted(authenticate, verdict)),
          },
          outcome.kind,
        );
    };
    return {
      first: {
        upstream,
        route: decision.side === 'service' ? route : undefined,
        hold: decision.fallback,
        write,
        setCookies: moved,
        ownHeaders,
        bodyBytes,
        capture,
      },
      next(outcome) {
        if (fellBack) return end(outcome);
        fellBack = decision.fallback && couldNotAnswer(outcome) && !exchange.begun();
        serviceFailed = decision.side === 'service' && (couldNotAnswer(outcome) || isServerError(outcome));
        if (!fellBack) return end(outcome);
        upstream = upstreams.get('legacy');
        exchange.tell(verdict, true);
        const refusal = entry.moveTo('legacy');
        if (refusal) return end({ kind: 'refused', ...refusal });
        return { upstream, hold: false, setCookies: stayed, ownHeaders, bodyBytes, capture };
      },
    };
  };
}

/** The cookies an answer gives: `moved` with one of the service, `stayed` with one of legacy. Whom the service could not answer has not moved. */
export function cookiesFor(
  parts: Pick<PipelineParts, 'pins' | 'workflowSides' | 'ownWrites' | 'identity'>,
  verdict: Verdict,
  fromLegacy: readonly string[] = [],
): { readonly moved: Iterable<string>; readonly stayed: Iterable<string> } {
  const { accepted, route, decision, routing } = verdict;
  const { client, pin, workflow } = verdict.consulted;
  if (isOwnWrite(parts, verdict)) {
    const token = cookieOfWrite(parts, verdict, fromLegacy);
    return { moved: token, stayed: token };
  }
  const known = client?.setCookie === undefined ? fromLegacy : [...fromLegacy, client.setCookie];
  const inside = workflow?.isDue ? [parts.workflowSides.give(accepted, workflow, routing.state)] : [];
  // Whoever is inside stays inside wherever one answer comes from; whoever enters is where that answer came from.
  const stayed = workflow?.why === 'inside' || workflow?.side === 'legacy' ? [...known, ...inside] : known;
  if (decision.side === 'legacy') return { moved: stayed, stayed };
  const moved = [...known, ...inside];
  const { pins } = parts;
  const isMoving = client !== undefined && pin !== null && pin !== 'held';
  if (!isMoving || !route) return { moved, stayed };
  const pinned = pins.give(accepted, route.migration, client, routing.generation(route));
  return { moved: [...moved, pinned], stayed };
}

type WriteParts = Pick<PipelineParts, 'ownWrites' | 'identity'>;

const isOwnWrite = ({ ownWrites }: WriteParts, { accepted, decision, routing }: Verdict): boolean =>
  decision.side === 'legacy' && ownWrites.isWrite(accepted, routing);

/** Made when it is asked for: its time is that of the head of the answer, and the write was committed before. */
const cookieOfWrite = (
  { ownWrites, identity }: WriteParts,
  { accepted }: Verdict,
  others: readonly string[],
): Iterable<string> => ({
  *[Symbol.iterator]() {
    yield* others;
    yield ownWrites.give(accepted, recognise(accepted, identity));
  },
});

const couldNotAnswer = ({ kind }: Outcome): boolean => kind === 'failed' || kind === 'unavailable';
const isServerError = (outcome: Outcome): boolean => outcome.kind === 'answered' && outcome.status >= 500;
