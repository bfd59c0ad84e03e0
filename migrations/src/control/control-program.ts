import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkPort, flagOf, type Plan, type Problem, type Program } from '@strangler/contracts';
import { Coordinator } from '../cutover/coordinator.js';
import { realDatabases } from '../cutover/real-databases.js';
import type { CutoverWorld } from '../cutover/real-steps.js';
import { syncHandover } from '../cutover/sync-handover.js';
import { noControl } from '../errors.js';
import { httpEvidence } from '../evidence/http-evidence.js';
import { checkFlags } from '../flags/check-flags.js';
import { fileFlagWriter } from '../flags/file-flag-writer.js';
import { unleashFlagWriter } from '../flags/unleash-flag-writer.js';
import { foldLedger } from '../ledger/fold.js';
import { checkLedger } from '../ledger/check-ledger.js';
import { openLedger } from '../ledger/open-ledger.js';
import { askSync } from './ask-sync.js';
import { serveControl } from './serve.js';
import { StateFeed } from './state-feed.js';
import { Subscribers } from './subscribers.js';

// Proxies that were there before it ask again within half a second; until then their evidence would be missing unnoticed.
const SETTLE_MS = 1_500;

/** A plan with migrations has flags; one without needs no flag file. */
const flagFileOf = (plan: Plan): string => resolve(plan.folder, plan.flags?.file ?? 'flags.json');

async function check(plan: Plan): Promise<readonly Problem[]> {
  if (plan.control === undefined)
    return [
      {
        code: 'PLAN_WITHOUT_CONTROL',
        path: 'control',
        message: 'is not in the plan',
        remedy: 'add "control: { ledger: !env LEDGER_DATABASE_URL }"',
      },
    ];
  const found = await Promise.all([
    checkPort('control.listen', plan.control.listen),
    checkLedger(plan.control.ledger),
    plan.flags?.file === undefined ? [] : checkFlags(flagFileOf(plan)),
  ]);
  return found.flat();
}

/** The control plane: ledger, gates, flags, and what everyone else is told of them. */
export const controlProgram: Program = {
  name: 'strangler-control',
  check,
  async start(plan, log) {
    if (plan.control === undefined) throw noControl(plan.file);
    const opened = await openLedger(plan.control.ledger);
    try {
      const server = plan.flags?.unleash;
      const flags = server ? unleashFlagWriter(server) : fileFlagWriter(flagFileOf(plan));
      const standings = foldLedger(await opened.ledger.history());
      const live = Object.entries(plan.migrations).filter(
        ([name]) => standings.get(name)?.phase !== 'retired',
      );
      await flags.ensure(live.map(([name, { flag }]) => flag ?? flagOf(name)));
      const subscribers = new Subscribers();
      const world: CutoverWorld = {
        plan,
        ledger: opened.ledger,
        flags,
        feed: new StateFeed(opened.ledger),
        subscribers,
        evidence: httpEvidence(plan, { subscribers, settled: delay(SETTLE_MS, undefined, { ref: false }) }),
        databases: (unit) => realDatabases(plan, unit),
        sync: syncHandover(plan),
      };
      const owner = `control-${hostname()}-${process.pid}`;
      const coordinator = new Coordinator({ world, leases: opened.leases, owner, log });
      const served = await serveControl(
        { ...world, coordinator, verify: askSync(plan) },
        plan.control.listen,
        log,
      );
      // When it answers: proxies that ask again must be heard before a cutover is carried on.
      coordinator.run();
      return {
        urls: { control: served.url, report: `${served.url}/v1/report.html` },
        async stop() {
          await coordinator.stop();
          await served.stop();
          await opened.close();
        },
      };
    } catch (error) {
      await opened.close();
      throw error;
    }
  },
};
