import { isIP } from 'node:net';
import type { RewriteRules, Upstream as UpstreamPlan, UpstreamEvidence } from '@strangler/contracts';
import { createBalance } from './balance.js';
import type { BreakerState } from './breaker.js';
import type { Health } from './decide.js';
import { followAddresses, type Lookup } from './follow-addresses.js';
import { createInstance, type Instance, type RunningInstance } from './instance.js';
import type { TlsOptions } from './read-tls.js';
import { createRetryBudget } from './retry-budget.js';

/** Why a request may be sent again: nothing of it had been sent, or it was, may be repeated, and no byte of an answer came. */
export type RetryCause = 'not-sent' | 'no-answer';

export type UpstreamCounts = {
  readonly retries: Readonly<Record<RetryCause, number>>;
  /** Retries that the budget did not allow. */
  readonly denied: number;
  /** How often a breaker of an instance opened. */
  readonly opened: number;
};

/** An HTTP server the proxy can send to, as a set of instances. */
export type Upstream = {
  readonly name: string;
  readonly timeouts: UpstreamPlan['timeouts'];
  readonly retriesPerRequest: number;
  /** The origins of its URLs. */
  readonly origins: readonly string[];
  /** What becomes of its own address in its answers. */
  readonly rewrite?: RewriteRules | undefined;
  readonly instances: () => readonly Instance[];
  /** One that may be sent to; when there is none, any one (YARP: HealthyOrPanic): refusing everybody helps nobody. */
  choose(): Instance;
  /** Another one that may be sent to. */
  choose(not: Instance): Instance | undefined;
  /** Where to send a request again that failed there, and takes it from the budget; undefined: nowhere. */
  retry(failed: Instance, cause: RetryCause): Instance | undefined;
  /** Healthy while one of its instances may be sent to. */
  readonly health: () => Health;
  readonly counts: () => UpstreamCounts;
  readonly evidence: () => UpstreamEvidence;
};

export type RunningUpstream = Upstream & { start(): void; stop(): Promise<void> };

export type UpstreamOptions = {
  readonly name: string;
  readonly plan: UpstreamPlan;
  readonly tls: TlsOptions;
  readonly shadowConnections: number;
  readonly lookup: Lookup;
  readonly random: () => number;
  readonly now: () => number;
  readonly onInstance: (instance: Instance) => void;
  /** Its name got other addresses. */
  readonly onMove: () => void;
  readonly onLost: (host: string, reason: string | null) => void;
};

const WELL: Health = { healthy: true, reason: null };
// One machine by definition: node:net tries both of its addresses when it connects.
const isLooked = (host: string): boolean => isIP(host.replace(/^\[|\]$/g, '')) === 0 && host !== 'localhost';

export function createUpstream(options: UpstreamOptions): RunningUpstream {
  const { name, plan, lookup, now, random, onInstance, onMove, onLost } = options;
  const budget = createRetryBudget(plan.retries);
  const balance = createBalance(plan.balance, random);
  const leaving = new Map<RunningInstance, Promise<void>>();
  const retries = { 'not-sent': 0, 'no-answer': 0 };
  let denied = 0;
  let opened = 0;
  let isRunning = false;

  const create = (url: URL, address?: string): RunningInstance => {
    const instance = createInstance({
      url,
      ...(address !== undefined && { address }),
      plan,
      tls: options.tls,
      shadowConnections: options.shadowConnections,
      now,
      onBegin: () => budget.count(now()),
      onChange: (breaker?: BreakerState) => {
        if (breaker === 'open') opened++;
        if (breaker !== 'half-open') onInstance(instance);
      },
    });
    return instance;
  };
  /** For each URL its instances, by address; '' for the name itself, which stands in until it has been looked up. */
  const byUrl = plan.urls.map((text) => {
    const url = new URL(text);
    return { url, instances: new Map([['', create(url)]]) };
  });
  let all: readonly RunningInstance[] = [];
  const collect = (): void => void (all = byUrl.flatMap(({ instances }) => [...instances.values()]));
  collect();

  const move = ({ url, instances }: (typeof byUrl)[number], addresses: readonly string[]): void => {
    for (const address of addresses) {
      if (instances.has(address)) continue;
      const instance = create(url, address);
      instances.set(address, instance);
      if (isRunning) instance.start();
    }
    const stale = [...instances].filter(([address]) => !addresses.includes(address));
    for (const [address, instance] of stale) {
      instances.delete(address);
      leaving.set(
        instance,
        instance.leave().finally(() => leaving.delete(instance)),
      );
    }
    collect();
    if (stale.length > 0) onMove();
  };
  const followers =
    plan.dns.refreshMs === 0
      ? []
      : byUrl
          .filter(({ url }) => isLooked(url.hostname))
          .map((entry) =>
            followAddresses({
              host: entry.url.hostname,
              refreshMs: plan.dns.refreshMs,
              family: plan.dns.family,
              lookup,
              onAddresses: (addresses) => move(entry, addresses),
              onLost: (reason) => onLost(entry.url.hostname, reason),
            }),
          );

  function choose(): Instance;
  function choose(not: Instance): Instance | undefined;
  function choose(not?: Instance): Instance | undefined {
    const [only] = all;
    if (all.length === 1) return only === not ? undefined : only;
    const able = all.filter((instance) => instance !== not && instance.health().healthy);
    if (able.length > 0) return balance(able);
    return not ? undefined : balance(all);
  }
  const health = (): Health => {
    let first: Health | undefined;
    for (const instance of all) {
      const one = instance.health();
      if (one.healthy) return WELL;
      first ??= one;
    }
    if (!first || all.length === 1) return first ?? WELL;
    return { healthy: false, reason: `none of ${all.length} instances is: ${first.reason ?? ''}` };
  };

  return {
    name,
    timeouts: plan.timeouts,
    retriesPerRequest: plan.retries.perRequest,
    origins: plan.urls,
    rewrite: plan.rewrite,
    instances: () => all,
    choose,
    retry(failed, cause) {
      // A kept connection that was just closed says nothing of the instance, so the only one may be asked again.
      const next = choose(failed) ?? (cause === 'no-answer' && !failed.gone.aborted ? failed : undefined);
      if (!next) return undefined;
      if (!budget.take(now())) {
        denied++;
        return undefined;
      }
      retries[cause]++;
      return next;
    },
    health,
    counts: () => ({ retries: { ...retries }, denied, opened }),
    evidence: () => ({ ...health(), instances: all.map((instance) => instance.evidence()) }),
    start() {
      isRunning = true;
      for (const instance of all) instance.start();
      for (const follower of followers) follower.start();
    },
    async stop() {
      for (const follower of followers) follower.stop();
      await Promise.all([...all, ...leaving.keys()].map((instance) => instance.stop()));
      await Promise.all(leaving.values());
    },
  };
}
