import type { RewriteRules, Upstream as UpstreamPlan } from '@strangler/contracts';
import { reasonOf } from '@strangler/contracts';
import { isIP } from 'node:net';
import { Pool } from 'undici';
import type { Health } from './decide.js';

/** An HTTP server the proxy can send to. */
export type Upstream = {
  readonly name: string;
  readonly url: URL;
  readonly timeoutMs: number;
  /** For TLS: the name the upstream's certificate must have; without it undici would take the client's Host header. */
  readonly servername?: string;
  /** For the requests of clients: as many connections as there are requests, kept alive. */
  readonly pool: Pool;
  /** For shadows alone, so that they can never take a client's connection. */
  readonly shadowPool: Pool;
  readonly health: () => Health;
  /** What becomes of its own address in its answers. */
  readonly rewrite?: RewriteRules | undefined;
};

export type Upstreams = {
  readonly all: ReadonlyMap<string, Upstream>;
  /** The upstream of that name; the plan has been checked to have it. */
  get(name: string): Upstream;
};

/** An upstream with its pools and its watch over its health; `close` ends what is still on its way. */
export type OpenUpstream = { readonly upstream: Upstream; close(): Promise<void> };

const HEALTH_INTERVAL_MS = 1_000;
const HEALTH_TIMEOUT_MS = 1_000;
// One lost answer is no outage; a second one in a row is.
const FAILURES_TO_BE_UNHEALTHY = 2;
const MAX_HEADER_BYTES = 65_536;

export function openUpstream(
  name: string,
  { url, timeoutMs, health: healthPath, rewrite }: UpstreamPlan,
  shadowConnections: number,
  onHealth: (upstream: Upstream, health: Health) => void,
): OpenUpstream {
  const stopping = new AbortController();
  const options = {
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Own timers watch the head; a body may pause for as long as the upstream likes (server-sent events).
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs },
  };
  const probePool = new Pool(url, { ...options, connections: 1 });
  let health: Health = { healthy: true, reason: null };
  let failures = 0;
  const probe = async (path: string): Promise<void> => {
    const reason = await ask(probePool, path, stopping.signal);
    if (stopping.signal.aborted) return;
    failures = reason === null ? 0 : failures + 1;
    const next: Health =
      failures === 0
        ? { healthy: true, reason: null }
        : failures >= FAILURES_TO_BE_UNHEALTHY
          ? { healthy: false, reason }
          : health;
    const changed = next.healthy !== health.healthy;
    health = next;
    if (changed) onHealth(upstream, health);
  };
  const upstream: Upstream = {
    name,
    url: new URL(url),
    ...(url.startsWith('https:') && !isIP(new URL(url).hostname) && { servername: new URL(url).hostname }),
    timeoutMs,
    pool: new Pool(url, options),
    shadowPool: new Pool(url, { ...options, connections: shadowConnections }),
    health: () => health,
    rewrite,
  };
  let probing: NodeJS.Timeout | undefined;
  if (healthPath !== undefined) {
    let asking = false;
    const tick = () => {
      if (asking) return;
      asking = true;
      void probe(healthPath).finally(() => (asking = false));
    };
    tick();
    probing = setInterval(tick, HEALTH_INTERVAL_MS);
  }
  return {
    upstream,
    async close() {
      clearInterval(probing);
      stopping.abort();
      await Promise.all([upstream.pool, upstream.shadowPool, probePool].map((pool) => pool.destroy()));
    },
  };
}

/** null when it is well, else why not. */
async function ask(pool: Pool, path: string, stop: AbortSignal): Promise<string | null> {
  const timeout = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  try {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path,
      signal: AbortSignal.any([timeout, stop]),
    });
    await body.dump();
    return statusCode === 200 ? null : `${path} answers ${statusCode}`;
  } catch (error) {
    return timeout.aborted ? `${path} does not answer within ${HEALTH_TIMEOUT_MS} ms` : reasonOf(error);
  }
}
