import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Address,
  guardAdmin,
  type KeptConflicts,
  reasonOf,
  StranglerError,
  type SyncEvidence,
  urlOf,
  type WatermarkAnswer,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import { migrationUnknown } from './errors.js';
import { answerHandover, type Handover, type HandoverVerb } from './answer-handover.js';
import { answerParked, type Parking } from './answer-parked.js';
import { answerRecopy, type RecopyTaker } from './answer-recopy.js';
import { answerVerify, type Verifier } from './answer-verify.js';
import { createMetrics } from './metrics.js';

export type AdminOptions = {
  readonly address: Address;
  readonly token?: string | undefined;
  readonly log: Logger;
  readonly evidence: () => SyncEvidence;
  readonly watermark: (after: number, signal: AbortSignal) => Promise<WatermarkAnswer>;
  readonly verifier: (migration: string) => Verifier | undefined;
  readonly parking: (migration: string) => Parking | undefined;
  readonly recopy: (migration: string) => RecopyTaker | undefined;
  readonly conflicts: (migration: string) => Promise<KeptConflicts> | undefined;
  readonly streams: (migration: string) => Handover | undefined;
};

/** The admin server: GET /health, /ready, /metrics, /evidence, /watermark, /migrations/NAME/parked, /conflicts; POST /migrations/NAME/verify, /repair, /recopy,
 * /parked/retry, /parked/discard, /reach, /tail, /handover and /self-test. Rejects when the address is taken. */
export async function startAdmin(
  options: AdminOptions,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const metrics = createMetrics(options.evidence);
  const guard = guardAdmin(options.address.host, options.token);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const isOurs = error instanceof StranglerError;
      if (!isOurs) options.log.error({ err: error }, 'admin request failed');
      send(response, isOurs ? error.status : 500, {
        code: isOurs ? error.code : 'INTERNAL',
        message: reasonOf(error),
      });
    });
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen({ ...options.address }, done));
  const { port } = server.address() as AddressInfo;
  return {
    url: urlOf({ ...options.address, port }),
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host, authorization } = request.headers;
    const refusal = guard({ target: request.url ?? '/', host, authorization });
    if (refusal) throw refusal;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://admin');
    const parked = /^\/migrations\/([^/]+)\/parked(?:\/(retry|discard))?$/.exec(pathname);
    if (parked) {
      const name = decodeURIComponent(parked[1] as string);
      const parking = options.parking(name);
      if (!parking) throw migrationUnknown(name);
      return send(response, 200, await answerParked(parking, request, parked[2]));
    }
    const conflicts = /^\/migrations\/([^/]+)\/conflicts$/.exec(pathname);
    if (conflicts && (request.method === 'GET' || request.method === 'HEAD')) {
      const name = decodeURIComponent(conflicts[1] as string);
      const kept = options.conflicts(name);
      if (!kept) throw migrationUnknown(name);
      return send(response, 200, await kept);
    }
    const recopy = /^\/migrations\/([^/]+)\/recopy$/.exec(pathname);
    if (recopy) {
      const name = decodeURIComponent(recopy[1] as string);
      const taker = options.recopy(name);
      if (!taker) throw migrationUnknown(name);
      return send(response, 200, await answerRecopy(taker, request));
    }
    const handover = /^\/migrations\/([^/]+)\/(reach|tail|handover|self-test)$/.exec(pathname);
    if (handover) {
      const name = decodeURIComponent(handover[1] as string);
      const streams = options.streams(name);
      if (!streams) throw migrationUnknown(name);
      return send(response, 200, await answerHandover(streams, request, handover[2] as HandoverVerb));
    }
    const verification = /^\/migrations\/([^/]+)\/(verify|repair)$/.exec(pathname);
    if (verification) {
      const name = decodeURIComponent(verification[1] as string);
      const verifier = options.verifier(name);
      if (!verifier) throw migrationUnknown(name);
      return send(response, 200, await answerVerify(verifier, request, verification[2] as string));
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, { code: 'METHOD_NOT_ALLOWED', message: `"${pathname}" is asked by GET` });
    if (pathname === '/health') return send(response, 200, { status: 'ok' });
    if (pathname === '/ready') return ready(response);
    if (pathname === '/evidence') return send(response, 200, options.evidence());
    if (pathname === '/watermark') {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      return send(response, 200, await options.watermark(Number(searchParams.get('after')), gone.signal));
    }
    if (pathname === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
      return;
    }
    send(response, 404, { code: 'NOT_FOUND', message: `"${pathname}" is nothing this server knows` });
  }

  /** Ready once the phases are known; a migration that has stopped shows in the evidence and does not make the process useless. */
  function ready(response: ServerResponse): void {
    const { stateVersion } = options.evidence();
    send(response, stateVersion > 0 ? 200 : 503, {
      status: stateVersion > 0 ? 'ready' : 'waiting for the control plane',
      stateVersion,
    });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...challenge })
    .end(JSON.stringify(body));
}
