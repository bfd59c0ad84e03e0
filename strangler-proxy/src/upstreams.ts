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
};

/** An upstream at work; `close` ends what is still on its way. */
export type OpenUpstream = { readonly upstream: Upstream; close(): Promise<void> };

/** Who is told what becomes of an upstream. */
export type UpstreamListener = {
  /** It lost its last instance, or has one again. */
  onHealth(upstream: Upstream, health: Health): void;
  /** An instance went out or came back. */
  onInstance(upstream: Upstream, instance: Instance): void;
  /** Its name cannot be looked up (the last addresses stay), or can again (null). */
  onLost(upstream: Upstream, host: string, reason: string | null): void;
};

export type OpenUpstreamOptions = {
  readonly name: string;
  readonly plan: Pick<Plan, 'upstreams' | 'folder' | 'proxy'>;
  readonly listener: UpstreamListener;
  readonly now: () => number;
  readonly lookup?: Lookup | undefined;
  readonly random?: (() => number) | undefined;
};

/** Throws TLS_UNUSABLE. */
export function openUpstream(options: OpenUpstreamOptions): OpenUpstream {
  const { name, plan, listener, now, lookup = lookupByName, random = Math.random } = options;
  const own = plan.upstreams[name] as Plan['upstreams'][string];
  let wasUp = true;
  const look = (): void => {
    const isUp = upstream.instances().some((each) => each.isUp());
    if (isUp === wasUp) return;
    wasUp = isUp;
    listener.onHealth(upstream, upstream.health());
  };
  const upstream: RunningUpstream = createUpstream({
    name,
    plan: own,
    tls: readTls(name, own.tls, plan.folder),
    shadowConnections: plan.proxy.shadow.concurrency,
    lookup,
    random,
    now,
    onInstance(instance) {
      listener.onInstance(upstream, instance);
      look();
    },
    onMove: look,
    onLost: (host, reason) => listener.onLost(upstream, host, reason),
  });
  upstream.start();
  return { upstream, close: () => upstream.stop() };
}
