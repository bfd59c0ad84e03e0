import { StranglerError } from '@strangler/contracts';
import { adapt } from './adapt.js';
import { adaptRelay } from './adapt-relay.js';
import { askByGrpc } from './ask-by-grpc.js';
import type { Attempt, Outcome } from './attempt.js';
import { bodyTooLarge, jsonTooLarge, upstreamReset, writeLate } from './errors.js';
import { sendContinue } from './expect-continue.js';
import type { Route } from './match.js';
import type { Grpc, GrpcOngoing } from './open-grpc.js';
import { readWhole } from './read-whole.js';
import { refuse, retryLater } from './refuse.js';
import { createRelay } from './relay.js';

const CANNOT_TAKE_IT = new Set([502, 503, 504]);

/** An attempt whose upstream is asked by gRPC; to the client it is an answer like every other. */
export async function carryByGrpc(
  attempt: Attempt & { readonly route: Route },
  grpc: Grpc,
): Promise<Outcome> {
  const { request, response, accepted, upstream, route, hold } = attempt;
  const rules = route.grpc?.rules;
  if (!rules) throw new TypeError(`"${route.text}" has no gRPC method`);
  let ongoing: GrpcOngoing | undefined;
  let status = 0;
  let isOver = false;
  let resolve: (outcome: Outcome) => void = () => {};
  const settled = new Promise<Outcome>((done) => (resolve = done));
  const settle = (outcome: Outcome) => {
    isOver = true;
    resolve(outcome);
  };
  const adaptation = adapt(accepted, upstream, route);
  const unadapted = createRelay(response, attempt);
  const stop = (outcome: Outcome) => {
    settle(outcome);
    ongoing?.cancel();
  };
  const relay = adaptation
    ? adaptRelay({
        relay: unadapted,
        adaptation,
        upstream: upstream.name,
        isHead: accepted.method === 'HEAD',
        fail: (error) => stop({ kind: 'failed', error }),
      })
    : unadapted;
  const onClientGone = () => stop({ kind: 'abandoned' });
  response.once('close', onClientGone);
  if (response.destroyed || response.closed) return { kind: 'abandoned' };
  /** The client's fault is answered by the proxy, and counts against nobody. */
  const refuseRequest = (error: StranglerError) => {
    refuse(response, error);
    settle({ kind: 'answered', status: error.status });
  };

  const start = async (): Promise<void> => {
    let body: Buffer | undefined;
    if (accepted.hasBody && rules.body !== undefined) {
      sendContinue(request);
      const most = attempt.bodyBytes ?? Infinity;
      body = await readWhole(request, Math.min(rules.maxBodyBytes, most), () => {});
      if (isOver) return;
      if (body === undefined && most < rules.maxBodyBytes)
        return settle({ kind: 'refused', error: bodyTooLarge(most) });
      if (body === undefined) return refuseRequest(jsonTooLarge(route.text, rules.maxBodyBytes));
    } else request.resume();
    if (attempt.write?.stage === 'late')
      return settle({ kind: 'refused', ...retryLater(writeLate(route.migration)) });
    const started = askByGrpc(
      {
        call: grpc.call(rules),
        route,
        upstream,
        timeoutMs: upstream.timeouts.headMs,
        target: accepted.target,
        headers: adaptation?.headers ?? accepted.headers,
        body,
      },
      {
        head(answered, headers) {
          status = answered;
          if (hold && CANNOT_TAKE_IT.has(status)) return stop({ kind: 'unavailable', status });
          relay.head(status, undefined, headers);
        },
        // What comes after the attempt is over belongs to nobody.
        data: (chunk) => isOver || relay.data(chunk),
        drained: (resume) => relay.drained(resume),
        end() {
          if (!isOver) relay.end([], () => settle({ kind: 'answered', status }));
        },
        failed: (error) => settle({ kind: 'failed', error }),
      },
    );
    if (started instanceof StranglerError) return refuseRequest(started);
    ongoing = started;
  };
  start().catch((error: unknown) => settle({ kind: 'failed', error: upstreamReset(upstream.name, error) }));
  const outcome = await settled;
  response.off('close', onClientGone);
  relay.drop();
  return outcome;
}
