import type { Logger } from 'pino';
import {
  type Plan,
  type PlanRejected,
  type Problem,
  problemLine,
  reasonOf,
  StranglerError,
} from '@strangler/contracts';
import type { InForce, PlanInForce } from './in-force.js';
import type { Metrics } from './metrics.js';
import { needsRestart } from './needs-restart.js';
import type { PlanSource } from './plan-file.js';

export type ReloadParts = {
  readonly source: PlanSource;
  readonly inForce: Pick<PlanInForce, 'current'>;
  readonly compile: (plan: Plan) => Promise<InForce>;
  readonly put: (next: InForce) => void;
  readonly metrics: Pick<Metrics, 'planReloads' | 'planRejected'>;
  readonly log: Logger;
  readonly now: () => number;
};

export type Reload = {
  /** Resolves when the plan has been looked at, and is in force or rejected. Never throws. */
  reload(): Promise<void>;
  /** The newest plan, when it could not be put into force. */
  rejected(): PlanRejected | null;
  stop(): Promise<void>;
};

const MOST_PROBLEMS = 20;

/** Puts each new plan into force, whole or not at all: one that has a problem leaves the old one where it is, and is told. */
export async function createReload(parts: ReloadParts): Promise<Reload> {
  const { source, inForce, compile, put, metrics, log, now } = parts;
  let rejected: PlanRejected | null = null;
  let isStopped = false;
  // One at a time, in the order of the changes: two that overlap could leave the older plan in force.
  let last = Promise.resolve();

  const reject = (problems: readonly Problem[]): void => {
    rejected = { at: new Date(now()).toISOString(), problems: problems.slice(0, MOST_PROBLEMS) };
    metrics.planRejected.set(1);
    metrics.planReloads.inc({ outcome: 'rejected' });
    for (const problem of problems)
      log.error({ code: problem.code }, `plan rejected: ${problemLine(problem)}`);
    log.error(`the plan of revision ${inForce.current.plan.revision} stays in force`);
  };
  const accept = (): void => {
    rejected = null;
    metrics.planRejected.set(0);
  };
  const attempt = async (): Promise<void> => {
    if (isStopped) return;
    const loaded = await source.load();
    if (!loaded.ok) return reject(loaded.problems);
    const { plan } = loaded;
    const running = inForce.current.plan;
    if (plan.revision === running.revision) return accept();
    const fixed = needsRestart(running, plan);
    if (fixed.length > 0) return reject(fixed);
    const next = await compile(plan);
    if (isStopped) return next.end();
    put(next);
    accept();
    metrics.planReloads.inc({ outcome: 'in-force' });
    log.info({ revision: plan.revision, before: running.revision }, 'a new plan is in force');
  };
  const reload = (): Promise<void> =>
    (last = last.then(attempt).catch((error: unknown) =>
      reject([
        {
          code: error instanceof StranglerError ? error.code : 'PLAN_NOT_STARTED',
          path: 'plan',
          message: `could not be put into force (${reasonOf(error)})`,
          remedy: 'correct it',
        },
      ]),
    ));
  const watching = await source.watch(() => void reload());
  return {
    reload,
    rejected: () => rejected,
    async stop() {
      isStopped = true;
      watching.stop();
      await last;
    },
  };
}
