import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '@strangler/contracts';
import { checkHistory } from './check-moves.js';
import type { Choices } from './choose.js';
import { compare } from './compare.js';
import { kafkaSettings, openConnector, type RunConnector } from './connector.js';
import { hurt, placeOf, PLACES } from './hurt.js';
import { readHalves } from './read-halves.js';
import { copied, settle } from './settle.js';
import { dropStand, open, openStand, type Servers, type Stand, withConnection } from './stand.js';
import { syncProcess } from './sync-process.js';
import type { MutantName } from './mutants.js';
import { offsetHistory, planOf } from './tables.js';
import { write } from './write.js';

/** What one run has found, sentences; all empty when every promise was kept. */
export type Findings = {
  /** Rows that differ once the source is quiet. */
  readonly lost: readonly string[];
  /** What was applied twice or out of order. */
  readonly duplicated: readonly string[];
  /** Moments at which a reader saw a part of a source transaction. */
  readonly halfSeen: readonly string[];
  /** Why it did not come to an end, or what waits for no reason. */
  readonly stuck: readonly string[];
};

export type Run = Findings & {
  readonly seed: number;
  readonly committed: number;
  readonly looks: number;
  readonly faults: readonly string[];
  /** What sync has said last, when something was found. */
  readonly output?: string;
};

export type RunOptions = {
  readonly choices: Choices;
  readonly servers: Servers;
  /** Sync with a promise broken, to see that it is found. */
  readonly mutant?: MutantName;
  /** Breaks a promise on purpose when the source is quiet and everything has come through. */
  readonly sabotageEnd?: (stand: Stand) => Promise<void>;
};

/** fill -> write and hurt -> quiet -> settle -> compare. */
export async function run({ choices, servers, mutant, sabotageEnd }: RunOptions): Promise<Run> {
  const { seed, accounts, chunkRows, faults, begin, writers, writingMs } = choices;
  const stand = await openStand(servers, String(seed), accounts);
  const plan = planOf(chunkRows, servers.kafka && kafkaSettings(servers.kafka, stand));
  let connector: RunConnector | undefined;
  const sync = syncProcess({
    plan,
    source: stand.syncSource,
    target: stand.syncTarget,
    seed,
    ...(mutant === undefined ? {} : { mutant }),
  });
  let [isQuiet, isOver] = [false, false];
  const stuck: string[] = [];
  try {
    connector = servers.kafka && (await openConnector(servers.kafka, stand, plan));
    const history = keepHistory(stand, () => isOver);
    const looking = readHalves(stand, () => isOver);
    // Rows that are copied may come twice: what happens behind the copy is to be seen, too.
    if (begin === 'copied') {
      await sync.start();
      await copied(stand).catch((error: unknown) => stuck.push(reasonOf(error)));
    }
    const begun = performance.now();
    const writing = Promise.all(writers.map((writes) => write(stand.sourceUrl, writes, () => isQuiet)));
    // It is awaited when everything else is over.
    writing.catch(() => {});
    if (begin === 'started') await sync.start();
    // What hurts sync, the source and the target may overlap; what hurts the same one does not.
    const hurting = PLACES.map(async (place) => {
      for (const fault of faults.filter((each) => placeOf(each) === place)) {
        await delay(Math.max(0, fault.atMs - (performance.now() - begun)));
        await hurt(fault, sync, servers, connector);
      }
    });
    // A sync that ends by itself is found, too.
    for (const end of await Promise.allSettled(hurting))
      if (end.status === 'rejected') stuck.push(reasonOf(end.reason));
    await delay(Math.max(0, writingMs - (performance.now() - begun)));
    isQuiet = true;
    const committed = (await writing).reduce((sum, count) => sum + count, 0);
    const [source, target] = [await open(stand.sourceUrl), await open(stand.targetUrl)];
    try {
      stuck.push(...(await settle(source, target, stand, sync).catch((error: unknown) => [reasonOf(error)])));
      await sabotageEnd?.(stand);
      // The reader looks once more at what is there now.
      await delay(60);
      isOver = true;
      const { looks, halves } = await looking;
      const findings: Findings = {
        // Of one that did not come to an end nobody knows what is lost.
        lost: stuck.length > 0 ? [] : await compare(source, target),
        duplicated: (await history) ? await checkHistory(target, stand.control) : [],
        halfSeen: halves.slice(0, 5),
        stuck,
      };
      return {
        seed,
        committed,
        looks,
        faults: faults.map(({ kind, atMs }) => `${kind} at ${atMs} ms`),
        ...findings,
        ...(isClean(findings) ? {} : { output: sync.output() }),
      };
    } finally {
      source.destroy();
      target.destroy();
    }
  } finally {
    [isQuiet, isOver] = [true, true];
    await sync.kill();
    await connector?.remove();
    await dropStand(stand);
  }
}

export const isClean = ({ lost, duplicated, halfSeen, stuck }: Findings): boolean =>
  lost.length + duplicated.length + halfSeen.length + stuck.length === 0;

/** The trigger that writes the moves of the offset down can be made only when sync has made its tables, in whatever state the server is then. */
async function keepHistory({ targetUrl, control }: Stand, isOver: () => boolean): Promise<boolean> {
  while (!isOver()) {
    try {
      await withConnection(targetUrl, (connection) => connection.query(offsetHistory(control)));
      return true;
    } catch {
      await delay(50);
    }
  }
  return false;
}
