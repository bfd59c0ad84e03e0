import {
  type Plan,
  type Running,
  subscribeToState,
  type StateSubscription,
  type SyncEvidence,
  urlOf,
} from '@strangler/contracts';
import type { Logger } from 'pino';
import { startAdmin } from './admin.js';
import { createAppliedUntil } from './applied-until.js';
import { type FlowClock, flowClock as newFlowClock } from './flow-clock.js';
import { type MigrationStreams, migrationStreams } from './migration-streams.js';
import { noStopPoints, type StopPoints } from './stop-points.js';

export type SyncOptions = {
  readonly plan: Plan;
  readonly log: Logger;
  /** Name of this process among those of its kind. */
  readonly instance: string;
  /** Where the phases come from; the plan's control plane when left out. */
  readonly subscription?: StateSubscription;
  readonly clock?: () => number;
  readonly flowClock?: FlowClock;
  readonly random?: () => number;
  readonly stopPoints?: StopPoints;
};

export type Sync = Running & { evidence(): SyncEvidence };

/** Keeps the data of every migration of the plan as its phase asks for, until it is stopped. */
export async function createSync(options: SyncOptions): Promise<Sync> {
  const { plan, log, instance, clock = Date.now, flowClock = newFlowClock() } = options;
  const end = new AbortController();
  let stateVersion = 0;
  let inContact = true;
  const withData = Object.entries(plan.migrations).filter(([, { data }]) => data !== undefined);
  const appliedUntil = createAppliedUntil(
    flowClock,
    withData.map(([name]) => name),
  );
  const migrations = new Map<string, MigrationStreams>();
  for (const [name, { data }] of withData)
    if (data)
      migrations.set(
        name,
        migrationStreams({
          plan,
          name,
          data,
          log,
          clock,
          flowClock,
          onAppliedUntil: (until) => appliedUntil.move(name, until),
          random: options.random ?? Math.random,
          stopPoints: options.stopPoints ?? noStopPoints,
        }),
      );

  const evidence = (): SyncEvidence => {
    const now = clock();
    return {
      instance,
      at: new Date(now).toISOString(),
      planRevision: plan.revision,
      stateVersion,
      inContact,
      migrations: Object.fromEntries(
        [...migrations].map(([name, migration]) => [name, migration.evidence(now)]),
      ),
    };
  };
  const admin = await startAdmin({
    address: plan.sync.admin,
    token: plan.sync.adminToken,
    log,
    evidence,
    watermark: (after, signal) => appliedUntil.answer(after, signal),
    verifier: (name) => migrations.get(name)?.current(),
    parking: (name) => migrations.get(name)?.current(),
    recopy: (name) => migrations.get(name)?.current(),
    conflicts: (name) => migrations.get(name)?.current().conflicts(),
    streams: (name) => migrations.get(name),
  });

  const subscription =
    options.subscription ??
    (plan.control
      ? subscribeToState({
          url: urlOf(plan.control.listen),
          token: plan.control.adminToken,
          subscriber: instance,
          onContact: (contact) => {
            inContact = !contact.lost;
            if (contact.lost)
              log.warn(
                `contact with the control plane is lost (${contact.reason}): migrations go on as they are`,
              );
            else log.info('contact with the control plane is back');
          },
        })
      : undefined);
  const following = subscription?.run(async (state) => {
    stateVersion = state.version;
    // A migration the ledger has never heard of is left as it is: only a phase that was set asks for its copy to be dropped.
    await Promise.all(
      [...migrations].map(([name, streams]) => streams.follow(state.migrations[name]?.phase)),
    );
  }, end.signal);

  return {
    urls: { admin: admin.url },
    evidence,
    async stop() {
      end.abort(new Error('ended'));
      await following;
      await Promise.all([...migrations.values()].map((migration) => migration.stop()));
      await admin.stop();
    },
  };
}
