import type { ConnectApi } from './connect-api.js';

/** Why a connector delivers nothing; undefined when it runs. */
export type ConnectorWatch = () => Promise<string | undefined>;

export type ConnectorWatchOptions = {
  readonly api: Pick<ConnectApi, 'status' | 'restartFailed'>;
  readonly connector: string;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
};

const RESTARTS = 10;
const WINDOW_MS = 600_000;

/**
 * Looks at a connector, and starts again what has failed, which Connect leaves to others: at most ten times in ten minutes, so that what a restart does not mend
 * costs neither the database nor the log of the workers. One of it has to live as long as the migration is synced.
 */
export function connectorWatch({
  api,
  connector,
  now = () => performance.now(),
}: ConnectorWatchOptions): ConnectorWatch {
  let restarts: readonly number[] = [];
  return async () => {
    const status = await api.status(connector);
    if (!status) return 'there is no such connector';
    const failed = status.tasks.find(({ state }) => state === 'FAILED');
    if (failed || status.state === 'FAILED') {
      const reason = failed?.reason ?? 'no reason given';
      restarts = restarts.filter((at) => at > now() - WINDOW_MS);
      if (restarts.length >= RESTARTS)
        return `it has failed again after ${RESTARTS} restarts within ten minutes and is left alone for a while: ${reason}`;
      restarts = [...restarts, now()];
      await api.restartFailed(connector);
      return `it had failed and is started again: ${reason}`;
    }
    if (status.state !== 'RUNNING') return `it is ${status.state}`;
    return status.tasks.length === 0 ? 'it has no task' : undefined;
  };
}
