import { bearerOf, type Plan, reasonOf, urlOf } from '@strangler/contracts';
import type { ProxyEvidence, SyncEvidence } from '@strangler/contracts';
import type { Subscribers } from '../control/subscribers.js';
import { type Answer, type EvidenceSource, movesData, type ProxyAnswer } from './evidence.js';
import { hearProxies, type KnownProxy } from './hear-proxies.js';
import { errorIn, requestJson } from './request-json.js';

const TIMEOUT_MS = 2_000;

async function askProxy({ name, url }: KnownProxy, token: string | undefined): Promise<ProxyAnswer> {
  const answer = await ask<ProxyEvidence>(url, token);
  if (!answer.ok) return { name, url, answer };
  const { instance } = answer.evidence;
  // Who is known by its address alone says now who it is; who is known by name must still be the one.
  if (name === url || name === instance) return { name: instance, url, answer };
  return { name, url, answer: { ok: false, reason: `${url} is "${instance}" now` } };
}

async function ask<T extends { migrations: unknown }>(
  url: string,
  token: string | undefined,
): Promise<Answer<T>> {
  try {
    const answer = await requestJson('GET', `${url}/evidence`, {
      timeoutMs: TIMEOUT_MS,
      headers: bearerOf(token),
    });
    if (answer.status !== 200)
      return {
        ok: false,
        reason: `${url} answered ${answer.status}${errorIn(answer.body) ? `: ${errorIn(answer.body)?.message}` : ''}`,
      };
    const evidence = answer.body as T | null | undefined;
    if (typeof evidence?.migrations !== 'object')
      return {
        ok: false,
        reason: `${url} answered something that is no evidence: another program listens there`,
      };
    return { ok: true, evidence };
  } catch (error) {
    return { ok: false, reason: `${url} does not answer (${reasonOf(error)})` };
  }
}

export type HttpEvidenceOptions = {
  /** The proxies that have told where they are, and when one was last lost. */
  readonly subscribers?: Pick<Subscribers, 'proxies' | 'lostAt'>;
  /** When proxies that are there have had the time to tell. */
  readonly settled?: Promise<unknown>;
  readonly clock?: () => number;
};

/**
 * Asks the admin ports of all proxies and of sync, all at once, for two seconds at most. The proxies are those of `proxy.replicas` and
 * those that follow the control plane; when there are neither, the one at `proxy.admin`.
 */
export function httpEvidence(plan: Plan, options: HttpEvidenceOptions = {}): EvidenceSource {
  const { subscribers, settled, clock = Date.now } = options;
  const toAsk = (): readonly KnownProxy[] => {
    const known = subscribers?.proxies() ?? [];
    const given = plan.proxy.replicas?.map((url) => ({ name: url, url })) ?? [];
    const all = [...known, ...given.filter(({ url }) => known.every((other) => other.url !== url))];
    const url = urlOf(plan.proxy.admin);
    return all.length > 0 ? all : [{ name: url, url }];
  };
  return {
    async gather() {
      await settled;
      const { proxy, sync: flow } = plan;
      const [answers, sync] = await Promise.all([
        Promise.all(toAsk().map((known) => askProxy(known, proxy.adminToken))),
        movesData(plan) ? ask<SyncEvidence>(urlOf(flow.admin), flow.adminToken) : null,
      ]);
      return { at: clock(), ...hearProxies(answers, subscribers?.lostAt() ?? null), sync };
    },
  };
}
