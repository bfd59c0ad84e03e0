import type { Difference, ShadowLimits } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Outcome } from './attempt.js';
import { adapt } from './adapt.js';
import { adaptAnswer } from './adapt-answer.js';
import { ask, type NotAnswered, shadowHeaders } from './ask.js';
import { Capture } from './capture.js';
import { type Answer, compare } from './compare.js';
import { decodeBody } from './decode-body.js';
import type { Route } from './match.js';
import type { Grpc } from './open-grpc.js';
import type { Comparisons } from './record.js';
import { redactTarget } from './redact.js';
import { shadowByGrpc } from './shadow-by-grpc.js';
import type { Tracing } from './tracing.js';
import type { Upstream } from './upstreams.js';

/** What is asked again beside the answer a client got. */
export type Copy = {
  readonly accepted: Accepted;
  readonly route: Route;
  readonly control: Upstream;
  readonly candidate: Upstream;
  /** The request as the service gets it, where that is not as it came; undefined when the service would not have been asked. */
  readonly forCandidate?: (() => Promise<Accepted | undefined>) | undefined;
};

export type Shadow = {
  /** A capture for legacy's answer, with the room in the queue to compare it; undefined when there is no room, which is counted. */
  reserve(route: Route): Capture | undefined;
  /** To be called once for every reserved capture, when legacy's answer has been sent, or has failed. */
  submit(capture: Capture, copy: Copy, outcome: Outcome['kind']): void;
  /** Captures that are filled, waiting or being compared. */
  readonly pending: () => number;
  /** Resolves when everything that was submitted has been compared. */
  drain(): Promise<void>;
  stop(): Promise<void>;
};

export type ShadowOptions = {
  readonly limits: ShadowLimits;
  readonly record: Comparisons;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly grpc: Pick<Grpc, 'call'>;
  readonly tracing?: Pick<Tracing, 'shadow'> | undefined;
};

// A write to legacy between the two answers makes them differ until sync has carried it over; its 99th percentile is far below.
const ASK_AGAIN_MS = 1_000;

/**
 * Compares what the service would have answered with what legacy did answer, after the client has its answer. Everything is
 * bounded (copies at once, copies waiting, bytes, time); what goes over a bound is not compared, and counted.
 */
export function createShadow({ limits, record, sleep, grpc, tracing }: ShadowOptions): Shadow {
  const stopping = new AbortController();
  const places = limits.concurrency + limits.queue;
  const waiting: (() => void)[] = [];
  const jobs = new Set<Promise<void>>();
  let reserved = 0;
  let running = 0;

  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= limits.concurrency) await new Promise<void>((start) => waiting.push(start));
    else running++;
    try {
      return await work();
    } finally {
      // The place goes to the next in line without becoming free in between.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
  const put = async (
    upstream: Upstream,
    { accepted, route, candidate }: Pick<Copy, 'accepted' | 'route' | 'candidate'>,
  ): Promise<Answer | NotAnswered> => {
    const service = upstream === candidate ? route : undefined;
    const adaptation = adapt(accepted, upstream, service);
    const { target, headers } = adaptation ?? accepted;
    const traced = accepted.span && tracing?.shadow(accepted.span, upstream, headers);
    const question = {
      upstream,
      headers: shadowHeaders(traced?.headers ?? headers),
      deadlineMs: limits.deadlineMs,
      maxBodyBytes: limits.maxBodyBytes,
      signal: stopping.signal,
    };
    const answer = await (service?.grpc
      ? shadowByGrpc({
          ...question,
          route: service,
          call: grpc.call(service.grpc.rules),
          target: accepted.target,
        })
      : ask({ ...question, target }));
    traced?.done(answer);
    return adaptation && !('reason' in answer) ? adaptAnswer(answer, adaptation) : answer;
  };

  const run = async (capture: Capture, copy: Copy): Promise<void> => {
    const { route } = copy;
    const control = await answerOf(capture, limits.maxBodyBytes);
    if ('reason' in control) return record.notCompared(route, control.reason);
    const asked = copy.forCandidate ? await turn(copy.forCandidate) : copy.accepted;
    if (!asked) return record.notCompared(route, 'not-admitted');
    const candidate = await turn(() => put(copy.candidate, { ...copy, accepted: asked }));
    if ('reason' in candidate) return record.notCompared(route, candidate.reason);
    const first = compare(control, candidate, route.compare);
    if (first.length === 0) return record.compared(route, 'match');
    const mismatch = (differences: readonly Difference[]) =>
      record.compared(route, 'mismatch', {
        request: `GET ${redactTarget(copy.accepted.target)}`,
        differences,
      });
    // A service that fails now and then fails: asking again must not talk that away.
    if (candidate.status >= 500) return mismatch(first);

    await sleep(ASK_AGAIN_MS, stopping.signal);
    const [again, other] = await turn(() =>
      Promise.all([put(copy.control, copy), put(copy.candidate, { ...copy, accepted: asked })]),
    );
    if ('reason' in again || 'reason' in other) return record.compared(route, 'inconclusive');
    const second = compare(again, other, route.compare);
    if (second.length === 0) return record.compared(route, 'ignored');
    if (other.status >= 500) return mismatch(second);
    const before = new Set(first.map(({ path }) => path));
    const lasting = second.filter(({ path }) => before.has(path));
    return lasting.length > 0 ? mismatch(lasting) : record.compared(route, 'inconclusive');
  };

  return {
    reserve(route) {
      if (reserved < places && !stopping.signal.aborted) {
        reserved++;
        return new Capture(limits.maxBodyBytes);
      }
      record.notCompared(route, 'queue-full');
      return undefined;
    },
    submit(capture, copy, outcome) {
      const loss =
        outcome === 'answered' ? capture.loss : outcome === 'abandoned' ? 'client-left' : 'legacy-failed';
      if (loss !== undefined) {
        reserved--;
        return record.notCompared(copy.route, loss);
      }
      const job = run(capture, copy).finally(() => {
        reserved--;
        jobs.delete(job);
      });
      jobs.add(job);
    },
    pending: () => reserved,
    async drain() {
      while (jobs.size > 0) await Promise.all(jobs);
    },
    async stop() {
      stopping.abort();
      await Promise.all(jobs);
    },
  };
}

async function answerOf(capture: Capture, limit: number): Promise<Answer | { readonly reason: string }> {
  const { status, headers } = capture;
  const decoded = await decodeBody(capture.body, headers['content-encoding'], limit);
  return decoded.ok ? { status, headers, body: decoded.body } : { reason: decoded.reason };
}
