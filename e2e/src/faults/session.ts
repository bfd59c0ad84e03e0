import { setTimeout as delay } from 'node:timers/promises';
import type { CutoverState, Side } from '@strangler/contracts';
import { until } from '../until.js';
import { FIRST_STOCK, readHoldings, rowsOf, withConnection } from './databases.js';
import { ask, driveTo } from './drive.js';
import { startLoad } from './load.js';
import type { ClientWrite, Glimpse, History, JournalRow } from './history.js';
import { type Servers, MIGRATION, openStage, type Stage } from './stage.js';
import { logTriggers } from './tables.js';

/** A stage and all that has ever happened on it: runs follow one another, and the history is judged as one. */
export type Session = {
  readonly stage: Stage;
  readonly writes: ClientWrite[];
  readonly glimpses: Glimpse[];
  readonly fences: Readonly<Record<Side, string>>;
  close(): Promise<void>;
};

const COPY_MS = 60_000;

export async function openSession(
  servers: Servers,
  folder: string,
  tell: (sentence: string) => void = () => {},
): Promise<Session> {
  const stage = await openStage({ servers, folder });
  const fenceOf = (side: Side) => `${new URL(stage.databases[side]).pathname.slice(1)}_strangler.fence`;
  const session: Session = {
    stage,
    writes: [],
    glimpses: [],
    fences: { legacy: fenceOf('legacy'), service: fenceOf('service') },
    close: () => stage.close(),
  };
  try {
    // Rows to be copied, by the application itself.
    await writeFor(session, 'first', 400);
    await bringToCanary(session, tell);
    const fenced = await stage.strangler('fence', 'install', MIGRATION);
    if (fenced.code !== 0) throw new Error(`the fences were not installed: ${fenced.out}${fenced.err}`);
    for (const side of ['legacy', 'service'] as const)
      await withConnection(stage.databases[side], (connection) =>
        connection.query(logTriggers(side, session.fences[side])),
      );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function writeFor(session: Session, name: string, milliseconds: number): Promise<void> {
  const { stage, writes } = session;
  const load = startLoad({
    proxies: stage.proxies,
    databases: stage.databases,
    name,
    seed: 1,
    clients: 8,
    pauseMs: 5,
    jobs: ['legacy'],
    record: (write) => void writes.push(write),
  });
  await delay(milliseconds);
  await load.stop();
}

/** From wherever it is on legacy's side: copied, verified, and with all reads on the service. */
export async function bringToCanary(
  { stage }: Session,
  tell: (sentence: string) => void,
  during: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  await driveTo(stage, { phase: 'syncing', path: 'advance', body: { to: 'syncing' } }, COPY_MS, tell);
  await during;
  await driveTo(stage, { phase: 'shadow', path: 'advance', body: { to: 'shadow' } }, COPY_MS, tell);
  await driveTo(stage, { phase: 'canary', path: 'advance', body: { to: 'canary' } }, COPY_MS, tell);
  await verifyClean(stage);
}

/** A verification by sync that finds nothing. */
export async function verifyClean(stage: Stage): Promise<void> {
  let last = '';
  await until('a clean verification', COPY_MS, async () => {
    const answer = await ask(stage, 'verify', {});
    last = JSON.stringify(answer?.body ?? 'no answer').slice(0, 400);
    return answer?.status === 200 && answer.body.clean === true;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${last}`);
  });
}

/** All that is known by now. */
export async function historyOf({ stage, writes, glimpses }: Session): Promise<History> {
  const [legacy, service, journal] = await Promise.all([
    readHoldings(stage.databases.legacy, 'legacy'),
    readHoldings(stage.databases.service, 'service'),
    readJournal(stage),
  ]);
  return { writes, glimpses, legacy, service, journal, firstStock: FIRST_STOCK };
}

/** The journal is the ledger's events of the kind `cutover`. */
export async function readJournal(stage: Stage): Promise<readonly (JournalRow & { readonly at: number })[]> {
  const rows = await withConnection(stage.databases.ledger, (connection) =>
    rowsOf(
      connection,
      "SELECT cutover, UNIX_TIMESTAMP(at) * 1000 at FROM strangler_ledger WHERE kind = 'cutover' ORDER BY id",
    ),
  );
  return rows.map((row) => {
    const entry = JSON.parse(String(row['cutover'])) as {
      epoch: number;
      state: CutoverState;
      from: Side;
      to: Side;
    };
    return { ...entry, at: Number(row['at']) };
  });
}
