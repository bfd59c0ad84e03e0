import type { Plan, ProxyEvidence, SyncEvidence } from '@strangler/contracts';

/** What a program answered, or why it did not: a gate has to say so. */
export type Answer<T> =
  { readonly ok: true; readonly evidence: T } | { readonly ok: false; readonly reason: string };

/** The numbers that gates and reports read, taken at one time. */
export type Evidence = {
  readonly at: number;
  readonly proxy: Answer<ProxyEvidence>;
  /** `null`: no migration of the plan moves data, so there is no sync. */
  readonly sync: Answer<SyncEvidence> | null;
};

/** Where evidence comes from. It never throws: what is missing is in the answer. */
export type EvidenceSource = { gather(): Promise<Evidence> };

/** Whether the plan needs a sync program at all. */
export const movesData = (plan: Plan): boolean =>
  Object.values(plan.migrations).some((migration) => migration.data !== undefined);
