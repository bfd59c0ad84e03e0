import type { Plan, ProxyEvidence, SyncEvidence } from '@strangler/contracts';

/** What a program answered, or why it did not: a gate has to say so. */
export type Answer<T> =
  { readonly ok: true; readonly evidence: T } | { readonly ok: false; readonly reason: string };

/** A proxy that was asked. */
export type ProxyAnswer = {
  /** Its instance; its address as long as it has not said who it is. */
  readonly name: string;
  readonly url: string;
  readonly answer: Answer<ProxyEvidence>;
};

/** The numbers that gates and reports read, taken at one time. */
export type Evidence = {
  readonly at: number;
  /** All that should have answered, at least one. */
  readonly proxies: readonly ProxyAnswer[];
  /** All of them added up; not ok as soon as one is silent, since less evidence is no evidence. */
  readonly proxy: Answer<ProxyEvidence>;
  /** Those that answered added up, for people to read; null: nobody did. */
  readonly heard: ProxyEvidence | null;
  /** `null`: no migration of the plan moves data, so there is no sync. */
  readonly sync: Answer<SyncEvidence> | null;
};

/** Where evidence comes from. It never throws: what is missing is in the answer. */
export type EvidenceSource = { gather(): Promise<Evidence> };

/** Whether the plan needs a sync program at all. */
export const movesData = (plan: Plan): boolean =>
  Object.values(plan.migrations).some((migration) => migration.data !== undefined);

/** The proxies that answered. */
export const answering = (proxies: readonly ProxyAnswer[]): readonly ProxyEvidence[] =>
  proxies.flatMap(({ answer }) => (answer.ok ? [answer.evidence] : []));
