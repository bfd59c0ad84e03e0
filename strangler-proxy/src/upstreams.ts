import type { Plan } from '@strangler/contracts';
import type { Health } from './decide.js';
import { type Lookup, lookupByName } from './follow-addresses.js';
import type { Instance } from './instance.js';
import { readTls } from './read-tls.js';
import { createUpstream, type RunningUpstream, type Upstream } from './upstream.js';

export type { Upstream } from './upstream.js';

export type Upstreams = {
  readonly all: ReadonlyMap<string, Upstream>;
  /** The upstream of that name; the plan has been checked to have it. */
  get(name: string): Upstream;
  /** An upstream lost its last instance, or has one again. */
  onHealth(listener: (upstream: string, health: Health) => void): void;
  /** An instance went out or came back. */
  onInstance(listener: (upstream: Upstream, instance: Instance) => void): void;
  /** The name of an upstream cannot be looked up (the last addresses stay), or can again (null). */
  onLost(listener: (upstream: string, host: string, reason: string | null) => void): void;
  start(): void;
  stop(): Promise<void>;
};

export type UpstreamsOptions = {
  readonly plan: Pick<Plan, 'upstreams' | 'folder'>;
  readonly shadowConnections: number;
  readonly now: () => number;
  readonly lookup?: Lookup | undefined;
  readonly random?: (() => number) | undefined;
};

/** Throws TLS_UNUSABLE. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const { plan, shadowConnections, now, lookup = lookupByName, random = Math.random } = options;
  const healthListeners: ((upstream: string, health: Health) => void)[] = [];
  const instanceListeners: ((upstream: Upstream, instance: Instance) => void)[] = [];
  const lostListeners: ((upstream: string, host: string, reason: string | null) => void)[] = [];

  const create = (name: string, one: Plan['upstreams'][string]): RunningUpstream => {
    let wasUp = true;
    const look = (): void => {
      const isUp = upstream.instances().some((each) => each.isUp());
      if (isUp === wasUp) return;
      wasUp = isUp;
      for (const listener of healthListeners) listener(name, upstream.health());
    };
    const upstream = createUpstream({
      name,
      plan: one,
      tls: readTls(name, one.tls, plan.folder),
      shadowConnections,
      lookup,
      random,
      now,
      onInstance(instance) {
        for (const listener of instanceListeners) listener(upstream, instance);
        look();
      },
      onMove: look,
      onLost: (host, reason) => {
        for (const listener of lostListeners) listener(name, host, reason);
      },
    });
    return upstream;
  };
  const all = new Map(Object.entries(plan.upstreams).map(([name, one]) => [name, create(name, one)]));
  return {
    all,
    get: (name) => all.get(name) as Upstream,
    onHealth: (listener) => void healthListeners.push(listener),
    onInstance: (listener) => void instanceListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    start() {
      for (const upstream of all.values()) upstream.start();
    },
    async stop() {
      await Promise.all([...all.values()].map((upstream) => upstream.stop()));
    },
  };
}
