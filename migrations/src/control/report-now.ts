import { flagOf, reasonOf } from '@strangler/contracts';
import { compileReport } from '../report/compile-report.js';
import type { Report } from '../report/report.js';
import type { Control } from '../transition/control.js';

/** Gathers everything a report is made of, at once. What cannot be had is said in it. */
export async function reportNow(control: Control): Promise<Report> {
  const { plan } = control;
  const complaints = new Set<string>();
  const shareOf = (flag: string) =>
    control.flags.share(flag).catch((error: unknown) => {
      complaints.add(reasonOf(error));
      return null;
    });
  const [history, evidence, shares] = await Promise.all([
    control.ledger.history(),
    control.evidence.gather(),
    Promise.all(
      Object.entries(plan.migrations).map(
        async ([name, migration]) => [name, await shareOf(migration.flag ?? flagOf(name))] as const,
      ),
    ),
  ]);
  return compileReport({
    plan,
    history,
    evidence,
    shares: Object.fromEntries(shares),
    subscribers: control.subscribers.live(),
    lost: control.subscribers.lost(),
    complaints: [...complaints],
  });
}
