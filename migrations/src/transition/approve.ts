import { findUnit } from './unit.js';
import type { Control } from './control.js';
import { note } from './events.js';

export type Approved = { readonly ok: true; readonly migration: string; readonly planRevision: string };

/** The owner's word that the next cutover of a unit may go, by the plan as it is now. The ledger keeps it; one cutover uses it up. */
export async function approve(
  control: Control,
  name: string,
  { by, why }: { readonly by: string; readonly why?: string | undefined },
): Promise<Approved> {
  const { revision } = control.plan;
  for (const member of findUnit(control.plan, name, 'approve').members)
    await note(control, member, ({ phase, share }) => [
      {
        kind: 'approved',
        from: phase,
        to: phase,
        shareFrom: share,
        shareTo: share,
        by,
        why: why ?? null,
        gates: [],
        verification: null,
        counters: null,
        planRevision: revision,
      },
    ]);
  return { ok: true, migration: name, planRevision: revision };
}
