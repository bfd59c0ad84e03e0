import { flagOf } from '@strangler/contracts';
import { compileReport } from '../report/compile-report.js';
import type { Report } from '../report/report.js';
import type { Control } from '../transition/pipeline.js';

/** Gathers everything a report is made of, at once. */
export async function reportNow(control: Control): Promise<Report> {
  const { plan } = control;
  const [history, evidence, shares] = await Promise.all([
    control.ledger.history(),
    control.evidence.gather(),
    Promise.all(
      Object.entries(plan.migrations).map(
        async ([name, migration]) =>
          [name, await control.flags.share(migration.flag ?? flagOf(name))] as const,
      ),
    ),
  ]);
  return compileReport({
    plan,
    history,
    evidence,
    shares: Object.fromEntries(shares),
    subscribers: control.subscribers.live(),
  });
}
