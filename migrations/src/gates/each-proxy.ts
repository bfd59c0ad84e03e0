import type { MigrationTraffic, ProxyEvidence } from '@strangler/contracts';
import { answering, type ProxyAnswer } from '../evidence/evidence.js';

/** What to say of a proxy whose plan is not that of the control plane. */
export function otherPlan({ planRevision, plan }: ProxyEvidence, ours: string): string | null {
  if (planRevision === ours) return null;
  const [first] = plan?.rejected?.problems ?? [];
  const why = first
    ? `it has rejected a newer one (${first.path}: ${first.message})`
    : 'a proxy takes a changed file by itself, control plane and sync need a restart';
  return `runs another revision of the plan (${planRevision}, here ${ours}): ${why}`;
}

type Counting = { readonly instance: string; readonly startedAt: string };
/** Whether it still counts from where it began. */
export const isSameCount = (one: Counting, other: Counting) =>
  one.instance === other.instance && one.startedAt === other.startedAt;

/** Requests that were meant for the service, and how many of them it did not answer well. */
export const countersOf = (traffic: MigrationTraffic) => ({
  answers: traffic.routes.reduce((sum, { served }) => sum + served.service + served.fallback, 0),
  failures: traffic.serviceFailures,
});

/** The same of each proxy that answered. */
export const proxyCounters = (proxies: readonly ProxyAnswer[], name: string) =>
  answering(proxies).flatMap(({ instance, startedAt, migrations }) => {
    const traffic = migrations[name];
    return traffic ? [{ instance, startedAt, ...countersOf(traffic) }] : [];
  });

/** The proxies that have another share in force than the one given; null: they cannot tell. */
export const otherShares = (proxies: readonly ProxyAnswer[], name: string, share: number) =>
  answering(proxies).flatMap(({ instance, migrations }) => {
    const configured = migrations[name]?.share.configured ?? null;
    return configured === share ? [] : [{ name: instance, configured }];
  });
