import { type HealthCheck, reasonOf } from '@strangler/contracts';
import type { Dispatcher, Pool } from 'undici';
import type { Health } from './decide.js';

/** Asks a health path over and over. Until the first failures it takes the instance for healthy. */
export type HealthWatch = { readonly health: () => Health; start(): void; stop(): void };

const WELL: Health = { healthy: true, reason: null };

export function watchHealth(options: {
  readonly check: HealthCheck;
  readonly pool: Pool;
  readonly servername: string | undefined;
  readonly onChange: () => void;
}): HealthWatch {
  const { check, pool, servername, onChange } = options;
  const stopping = new AbortController();
  let health = WELL;
  let failed = 0;
  let good = 0;
  let asking = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const reason = await ask(pool, check, servername, stopping.signal);
    if (stopping.signal.aborted) return;
    failed = reason === null ? 0 : failed + 1;
    good = reason === null ? good + 1 : 0;
    const { healthy } = health;
    if (failed >= check.unhealthyAfter) health = { healthy: false, reason };
    else if (good >= check.healthyAfter) health = WELL;
    if (health.healthy !== healthy) onChange();
  };
  const tick = (): void => {
    if (asking) return;
    asking = true;
    void look().finally(() => (asking = false));
  };
  return {
    health: () => health,
    start() {
      tick();
      timer = setInterval(tick, check.intervalMs);
    },
    stop() {
      clearInterval(timer);
      stopping.abort();
    },
  };
}

/** null when it is well, else why not. */
async function ask(
  pool: Pool,
  { path, timeoutMs }: HealthCheck,
  servername: string | undefined,
  stop: AbortSignal,
): Promise<string | null> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path,
      signal: AbortSignal.any([timeout, stop]),
      servername,
    } as Dispatcher.RequestOptions);
    await body.dump();
    return statusCode === 200 ? null : `${path} answers ${statusCode}`;
  } catch (error) {
    return timeout.aborted ? `${path} does not answer within ${timeoutMs} ms` : reasonOf(error);
  }
}
