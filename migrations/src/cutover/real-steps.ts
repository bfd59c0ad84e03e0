import { setTimeout as delay } from 'node:timers/promises';
import { type Plan, reasonOf, type Side, type Stream } from '@strangler/contracts';
import type { World } from '../transition/real-steps.js';
import type { Unit } from '../transition/unit.js';
import { cutoverRules } from './cutover-rules.js';
import type { CutoverDatabases } from './databases.js';
import { type CutoverSteps, done, failed } from './steps.js';
import type { SyncHandover } from './sync-handover.js';

export type CutoverWorld = World & {
  readonly plan: Plan;
  readonly databases: (unit: Unit) => CutoverDatabases;
  readonly sync: SyncHandover;
};

export type CutoverOrder = {
  readonly unit: Unit;
  readonly flag: string;
  readonly epoch: number;
  /** Token of the coordinator's lease. */
  readonly coordinator: number;
  readonly from: Side;
  readonly to: Side;
};

/** Beyond the time writes may take to end: the state has to reach a proxy, and its answer has to come back. */
const ANSWER_MS = 2_000;
const SETTLE_MS = 5_000;
const REVERSE_MS = 30_000;
const POLL_MS = 50;
const REOPEN_MS = 500;

export const streamFrom = (side: Side): Stream => (side === 'legacy' ? 'there' : 'back');

/** Does what it says, to the proxies, the databases and sync. */
export function realSteps(order: CutoverOrder, world: CutoverWorld): CutoverSteps {
  const { unit, epoch, coordinator, from, to } = order;
  const { members } = unit;
  const rules = cutoverRules(world.plan, members);
  const databases = world.databases(unit);
  const [running, next] = [streamFrom(from), streamFrom(to)];
  const each = <T>(work: (member: string) => Promise<T>) => Promise.all(members.map(work));
  return {
    prepare: () => databases.prepareIds(to, rules.idGap),
    async hold() {
      const { version } = await world.feed.refresh();
      const missing = await world.subscribers.proxiesWithout(version, rules.drainMs + ANSWER_MS);
      if (missing.length > 0)
        return failed(
          `${quoted(missing)} did not say that writes are held: see whether it runs and hears the control plane`,
        );
      const proxies = world.subscribers.proxies().length;
      return done(`${proxies} ${proxies === 1 ? 'proxy holds' : 'proxies hold'} new writes`);
    },
    fence: () => databases.close(from, { epoch, coordinator, timeoutMs: rules.fenceMs }),
    async catchUp() {
      await each((member) => world.sync.reach(member, { stream: running, deadlineMs: rules.catchUpMs }));
      return done(`the ${to} has everything that was written before the fence`);
    },
    async verify() {
      const wish = { stream: running, rows: rules.tailRows, deadlineMs: rules.verifyMs };
      // Nothing may be written to the new side behind the handover but by its application, so the ids come before it. What is compared meanwhile only reads.
      const handedOver = (async () => {
        const ids = await databases.checkIds(to, rules.idGap);
        if (!ids.ok) return ids;
        const noted = await each((member) => world.sync.handOver(member, { to: next, epoch }));
        return done(
          `${ids.note}; the other stream begins at ${noted.map(({ offset }) => offset).join(', ')}`,
        );
      })();
      const [compared, handover] = await Promise.all([
        each((member) => world.sync.tail(member, wish)),
        handedOver,
      ]);
      const tables = compared.flatMap((one) => one.tables);
      const parked = compared.reduce((sum, one) => sum + one.parked, 0);
      const different = tables.filter((table) => table.different > 0);
      if (different.length > 0)
        return failed(
          `sides differ: ${different.map(({ table, different: rows, samples }) => `table "${table}" in ${rows} rows (${samples[0] ?? 'no sample'})`).join(', ')}`,
        );
      if (parked > 0) return failed(`${parked} rows wait that the ${to} has refused`);
      if (!handover.ok) return handover;
      const rows = tables.reduce((sum, table) => sum + table.compared, 0);
      return done(`${rows} rows compared, equal; ${handover.note}`);
    },
    async open() {
      const opened = await databases.open(to, { epoch, coordinator });
      if (!opened.ok || to === 'service') return opened;
      // Back on legacy its reads are there too: whoever rolls back does not trust the service.
      const flag = await world.flags.setShare(order.flag, 0).then(
        () => `turned flag "${order.flag}" off`,
        (error: unknown) =>
          `could not turn flag "${order.flag}" off (${reasonOf(error)}): turn it off by hand`,
      );
      return done(`${opened.note}; ${flag}`);
    },
    async release() {
      const { version } = await world.feed.refresh();
      const missing = await world.subscribers.proxiesWithout(version, SETTLE_MS);
      return done(
        missing.length === 0
          ? `writes go to the ${to}`
          : `writes go to the ${to}; ${quoted(missing)} has not said so yet, and until it does the fence refuses its writes`,
      );
    },
    async reverse() {
      const deadline = Date.now() + REVERSE_MS;
      for (;;) {
        const waiting = await notRunning(world, members, next);
        if (waiting === null) return done(`changes flow from the ${to} to the ${from}`);
        if (Date.now() > deadline) return failed(waiting);
        await delay(POLL_MS);
      }
    },
    async reopen() {
      const opened = await databases.open(from, { epoch, coordinator, timeoutMs: REOPEN_MS });
      if (opened.ok) return opened;
      // Who kept it from closing keeps its row: it is open, and they must not keep everybody else waiting.
      const seen = (await databases.look()).filter(({ side }) => side === from);
      return seen.every(({ closed }) => closed === false)
        ? done(`the fence of the ${from} was never closed`)
        : opened;
    },
  };
}

/** Why changes do not flow by the stream yet; null when they do. */
async function notRunning(
  { evidence }: World,
  members: readonly string[],
  stream: Stream,
): Promise<string | null> {
  const { sync } = await evidence.gather();
  if (sync === null || !sync.ok) return `sync does not answer (${sync?.reason ?? 'the plan has none'})`;
  for (const member of members) {
    const found = sync.evidence.migrations[member];
    if (found?.stream !== stream || (found.state !== 'tailing' && found.state !== 'backfilling'))
      return `the changes of "${member}" do not flow yet (${found?.problem ?? `sync is "${found?.state ?? 'without it'}"`})`;
  }
  return null;
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
