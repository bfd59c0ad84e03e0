import { isIP, type LookupFunction } from 'node:net';
import type { InstanceEvidence, Upstream as UpstreamPlan } from '@strangler/contracts';
import { buildConnector, Pool } from 'undici';
import { type BreakerState, createBreaker } from './breaker.js';
import type { Health } from './decide.js';
import type { TlsOptions } from './read-tls.js';
import { watchHealth } from './watch-health.js';

/** How a request ended, for the instance it was sent to; the first call counts. `abandoned` says nothing of the instance. */
export type Settle = (outcome: 'answered' | 'failed' | 'abandoned', status?: number) => void;

/** One process of an upstream: a URL of the plan, or one of the addresses its name has. */
export type Instance = {
  /** The URL; with the address when its name was looked up. */
  readonly name: string;
  readonly url: URL;
  /** Address or name to connect to. */
  readonly host: string;
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls: TlsOptions | undefined;
  /** The name its certificate must have and that is sent as SNI; undefined for an address, which is checked as one. */
  readonly servername: string | undefined;
  /** The Host header it gets in place of the client's; undefined: the client's. */
  readonly hostHeader: string | undefined;
  /** For the requests of clients. */
  readonly pool: Pool;
  /** For shadows alone, so that they can never take a client's connection. */
  readonly shadowPool: Pool;
  /** Whether a request may be sent: its health path answers and its breaker admits one. Changes nothing. */
  readonly health: () => Health;
  /** The same without a probe's place: not out for whatever reason. */
  readonly isUp: () => boolean;
  readonly pending: () => number;
  readonly evidence: () => InstanceEvidence;
  /** To be called for every request of a client, right before it is sent; what it gives, when the request is over. */
  begin(): Settle;
  /** Aborted when it is an instance of its upstream no more: requests on their way end, no new ones come. */
  readonly gone: AbortSignal;
};

export type RunningInstance = Instance & {
  start(): void;
  /** Requests on their way end, then its connections close. */
  leave(): Promise<void>;
  stop(): Promise<void>;
};

export type InstanceOptions = {
  readonly url: URL;
  readonly address?: string;
  readonly plan: Omit<UpstreamPlan, 'tls'> & { readonly tls?: UpstreamPlan['tls'] };
  readonly tls: TlsOptions;
  readonly shadowConnections: number;
  readonly now: () => number;
  readonly onBegin: () => void;
  readonly onChange: (breaker?: BreakerState) => void;
};

const MAX_HEADER_BYTES = 65_536;
// What a server in front of a dead or overloaded one says; 500 is an answer of the application.
const CANNOT_SERVE = new Set([502, 503, 504]);
const WELL: Health = { healthy: true, reason: null };

export function createInstance(options: InstanceOptions): RunningInstance {
  const { url, address, plan, now, onBegin, onChange, shadowConnections } = options;
  const name = address === undefined ? url.origin : `${url.origin} at ${address}`;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'https:';
  const servername = plan.tls?.servername ?? (isIP(hostname) ? undefined : hostname);
  const { connectMs, headMs, idleMs } = plan.timeouts;
  const connector = buildConnector({
    ...(isSecure && options.tls),
    ...(address !== undefined && { lookup: alwaysTo(address) }),
    allowH2: false,
    timeout: connectMs,
  });
  const poolOptions = {
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Own timers watch the stages of a client's request.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Not the name undici makes of the client's Host header.
    connect: (target: buildConnector.Options, callback: buildConnector.Callback) =>
      connector({ ...target, servername: servername ?? '' }, callback),
  };
  const pool = new Pool(url.origin, {
    ...poolOptions,
    ...(plan.connections !== undefined && { connections: plan.connections }),
  });
  const shadowPool = new Pool(url.origin, {
    ...poolOptions,
    connections: shadowConnections,
    headersTimeout: headMs,
    bodyTimeout: idleMs,
  });
  const probePool = new Pool(url.origin, { ...poolOptions, connections: 1 });
  const breaker = plan.breaker === false ? undefined : createBreaker(plan.breaker, onChange);
  const watch =
    plan.health &&
    watchHealth({ check: plan.health, pool: probePool, servername: servername ?? hostname, onChange });
  const gone = new AbortController();
  let pending = 0;

  const health = (): Health => {
    const watched = watch?.health() ?? WELL;
    if (!watched.healthy || !breaker || breaker.admits(now())) return watched;
    return { healthy: false, reason: `its breaker is ${breaker.state()}: ${breaker.reason()}` };
  };
  return {
    name,
    url,
    host: address ?? hostname,
    port: Number(url.port) || (isSecure ? 443 : 80),
    tls: isSecure ? options.tls : undefined,
    servername: isSecure ? servername : undefined,
    hostHeader: plan.host === 'upstream' ? url.host : undefined,
    pool,
    shadowPool,
    health,
    isUp: () => (watch?.health() ?? WELL).healthy && (breaker?.state() ?? 'closed') === 'closed',
    pending: () => pending,
    evidence: () => ({ instance: name, ...health(), breaker: breaker?.state() ?? 'closed', pending }),
    begin() {
      pending++;
      onBegin();
      const ticket = breaker?.begin(now()) ?? 0;
      let isSettled = false;
      return (outcome, status = 0) => {
        if (isSettled) return;
        isSettled = true;
        pending--;
        const well = outcome === 'abandoned' ? null : outcome === 'answered' && !CANNOT_SERVE.has(status);
        breaker?.settle(ticket, well, now());
      };
    },
    gone: gone.signal,
    start: () => watch?.start(),
    async leave() {
      gone.abort();
      watch?.stop();
      await Promise.all([pool.close(), shadowPool.close(), probePool.destroy()]);
    },
    async stop() {
      gone.abort();
      watch?.stop();
      await Promise.all([pool.destroy(), shadowPool.destroy(), probePool.destroy()]);
    },
  };
}

/** Connects to that address by the name it belongs to, which its certificate is checked for. */
function alwaysTo(address: string): LookupFunction {
  const family = isIP(address);
  return (_host, { all }, callback) => {
    if (all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}
