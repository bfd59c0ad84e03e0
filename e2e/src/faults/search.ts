import { choose, type Choices } from './choose.js';
import { isRunClean, run, type Run, type RunOptions } from './run.js';
import { openSession, type Session } from './session.js';
import type { Servers } from './stage.js';

export type SearchOptions = {
  readonly servers: Servers;
  /** For what the programs of a stage say; a stage in which something was found keeps it. */
  readonly folder: string;
  readonly runs: number;
  /** Of the first run; each later one has the next number. */
  readonly seed: number;
  /** In place of what the seed chooses. */
  readonly change?: Partial<Choices>;
  readonly onRun?: (run: Run) => void;
} & Pick<RunOptions, 'sabotageEnd'>;

/** Runs in which something was found, by what it was. */
export type SearchResult = {
  readonly runs: number;
  /** Of the runs in which something was found; of no run when all is well. */
  readonly seeds: readonly number[];
  readonly lost: number;
  readonly duplicated: number;
  readonly doubleAuthority: number;
  readonly orderViolations: number;
  readonly stuck: number;
  readonly found: readonly Run[];
};

/** One stage for all runs, until something is found on it. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { servers, folder, runs, seed, change = {}, onRun = () => {}, ...broken } = options;
  const all: Run[] = [];
  let session: Session | undefined;
  try {
    for (let index = 0; index < runs; index++) {
      session ??= await openSession(servers, `${folder}/${seed + index}`);
      const choices = { ...choose(seed + index), ...change };
      const done = await run({ session, choices, ...broken });
      onRun(done);
      all.push(done);
      if (isRunClean(done)) continue;
      await session.close();
      session = undefined;
    }
  } finally {
    await session?.close();
  }
  const found = all.filter((each) => !isRunClean(each));
  const count = (kind: 'lost' | 'duplicated' | 'doubleAuthority' | 'orderViolations' | 'stuck') =>
    all.filter((each) => each[kind].length > 0).length;
  return {
    runs,
    seeds: found.map((each) => each.seed),
    lost: count('lost'),
    duplicated: count('duplicated'),
    doubleAuthority: count('doubleAuthority'),
    orderViolations: count('orderViolations'),
    stuck: count('stuck'),
    found,
  };
}
