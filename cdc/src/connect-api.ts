import { reasonOf } from '@strangler/contracts';
import type { ConnectorConfig } from './connector-config.js';
import { connectRefused, connectUnreachable } from './errors.js';

export const CONNECTOR_STATES = [
  'RUNNING',
  'PAUSED',
  'STOPPED',
  'FAILED',
  'UNASSIGNED',
  'RESTARTING',
] as const;
export type ConnectorState = (typeof CONNECTOR_STATES)[number] | (string & {});

export type ConnectorStatus = {
  readonly state: ConnectorState;
  readonly tasks: readonly {
    readonly id: number;
    readonly state: ConnectorState;
    readonly reason: string | null;
  }[];
};

/** Connectors by name. Throws CONNECT_UNREACHABLE when it does not answer and CONNECT_REFUSED with what it says. */
export type ConnectApi = {
  configOf(name: string): Promise<ConnectorConfig | undefined>;
  status(name: string): Promise<ConnectorStatus | undefined>;
  /** Creates the connector or gives it another configuration. */
  put(name: string, config: ConnectorConfig): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  /** Starts what has failed again: tasks, and the connector itself. */
  restartFailed(name: string): Promise<void>;
  /** Removes the connector and what Connect remembers of how far it was. False when there was none. */
  remove(name: string): Promise<boolean>;
};

const DEADLINE_MS = 15_000;
const REBALANCE_TRIES = 20;
const REBALANCE_WAIT_MS = 500;

/** Connect's REST interface (KIP-26, KIP-745 for restarting what failed). */
export function connectApi(
  url: string,
  sleep: (milliseconds: number) => Promise<void> = (milliseconds) =>
    new Promise((done) => setTimeout(done, milliseconds)),
): ConnectApi {
  const base = url.replace(/\/+$/, '');
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${base}${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      }).catch((error: unknown) => {
        throw connectUnreachable(base, error);
      });
      const text = await response.text();
      if (response.status === 404) return undefined;
      if (response.ok) return text === '' ? null : (JSON.parse(text) as unknown);
      // While the workers settle who does what, Connect answers 409 to everything that changes a connector.
      if (response.status !== 409 || attempt === REBALANCE_TRIES)
        throw connectRefused(`${method} ${path}`, messageOf(text) ?? `status ${response.status}`);
      await sleep(REBALANCE_WAIT_MS);
    }
  };
  const at = (name: string) => `/connectors/${encodeURIComponent(name)}`;
  return {
    configOf: async (name) => (await ask('GET', `${at(name)}/config`)) as ConnectorConfig | undefined,
    async status(name) {
      const answer = (await ask('GET', `${at(name)}/status`)) as StatusAnswer | undefined;
      if (!answer) return undefined;
      return {
        state: answer.connector.state,
        tasks: answer.tasks.map(({ id, state, trace }) => ({ id, state, reason: reasonIn(trace) })),
      };
    },
    put: async (name, config) => void (await ask('PUT', `${at(name)}/config`, config)),
    pause: async (name) => void (await ask('PUT', `${at(name)}/pause`)),
    resume: async (name) => void (await ask('PUT', `${at(name)}/resume`)),
    restartFailed: async (name) =>
      void (await ask('POST', `${at(name)}/restart?includeTasks=true&onlyFailed=true`)),
    async remove(name) {
      if ((await ask('PUT', `${at(name)}/stop`)) === undefined) return false;
      // Offsets are let go of only while the connector is stopped and its tasks are gone (KIP-875).
      for (let attempt = 1; ; attempt++)
        try {
          await ask('DELETE', `${at(name)}/offsets`);
          break;
        } catch (error) {
          if (attempt === REBALANCE_TRIES || !isNotYet(error)) throw error;
          await sleep(REBALANCE_WAIT_MS);
        }
      await ask('DELETE', at(name));
      // The workers let go of it a moment later.
      for (let attempt = 1; attempt < REBALANCE_TRIES; attempt++) {
        if ((await ask('GET', `${at(name)}/status`)) === undefined) break;
        await sleep(REBALANCE_WAIT_MS);
      }
      return true;
    },
  };
}

const isNotYet = (error: unknown): boolean => (error as { code?: string }).code === 'CONNECT_REFUSED';

type StatusAnswer = {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[];
};

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch (error) {
    return reasonOf(error) === '' ? undefined : text.slice(0, 200) || undefined;
  }
}

/** The innermost cause of a Java stack trace, without the class of the exception. */
export function reasonIn(trace: string | undefined): string | null {
  if (trace === undefined) return null;
  const causes = trace.split('\n').filter((line) => /^(?:Caused by: )?[\w$]+(?:\.[\w$]+)+(?::|$)/.test(line));
  const last = causes.findLast((line) => line.includes(': ', line.startsWith('Caused by: ') ? 11 : 0));
  const text = (last ?? trace.split('\n')[0] ?? '').replace(/^Caused by: /, '').replace(/^[\w$.]+: /, '');
  return text.slice(0, 300);
}
