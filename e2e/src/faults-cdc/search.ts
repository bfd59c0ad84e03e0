import { choose, type Choices, type Fault } from './choose.js';
import { type Findings, isClean, run, type Run, type RunOptions } from './run.js';
import type { Servers } from './stand.js';

export type SearchOptions = {
  readonly servers: Servers;
  readonly runs: number;
  /** Of the first run; each later one has the next number. */
  readonly seed: number;
  /** In place of those that the seed chooses. */
  readonly faults?: readonly Fault[];
  /** The same. */
  readonly begin?: Choices['begin'];
  readonly onRun?: (run: Run) => void;
} & Pick<RunOptions, 'mutant' | 'sabotageEnd'>;

/** Runs in which something was found, by what it was. */
export type SearchResult = { readonly [Kind in keyof Findings]: number } & {
  readonly runs: number;
  /** Of the runs in which something was found; of no run when all is well. */
  readonly seeds: readonly number[];
  readonly found: readonly Run[];
};

export async function search(options: SearchOptions): Promise<SearchResult> {
  const { servers, runs, seed, faults, begin, onRun = () => {}, ...broken } = options;
  const all: Run[] = [];
  for (let index = 0; index < runs; index++) {
    const chosen = choose(seed + index, servers.kafka ? 'kafka' : 'binlog');
    const choices = { ...chosen, faults: faults ?? chosen.faults, begin: begin ?? chosen.begin };
    const done = await run({ choices, servers, ...broken });
    onRun(done);
    all.push(done);
  }
  const found = all.filter((each) => !isClean(each));
  const count = (kind: keyof Findings) => all.filter((each) => each[kind].length > 0).length;
  return {
    runs,
    seeds: found.map((each) => each.seed),
    lost: count('lost'),
    duplicated: count('duplicated'),
    halfSeen: count('halfSeen'),
    stuck: count('stuck'),
    found,
  };
}
