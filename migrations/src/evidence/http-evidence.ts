import { bearerOf, type Plan, reasonOf, urlOf } from '@strangler/contracts';
import type { ProxyEvidence, SyncEvidence } from '@strangler/contracts';
import { type Answer, type EvidenceSource, movesData } from './evidence.js';
import { errorIn, requestJson } from './request-json.js';

const TIMEOUT_MS = 2_000;

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

/** Asks the admin ports of proxy and sync, both at once, for two seconds at most. */
export function httpEvidence(plan: Plan, clock: () => number = Date.now): EvidenceSource {
  return {
    async gather() {
      const [proxy, sync] = await Promise.all([
        ask<ProxyEvidence>(urlOf(plan.proxy.admin), plan.proxy.adminToken),
        movesData(plan) ? ask<SyncEvidence>(urlOf(plan.sync.admin), plan.sync.adminToken) : null,
      ]);
      return { at: clock(), proxy, sync };
    },
  };
}
