import type { ContenderName } from './contender.js';
import { median } from './median.js';
import type { Sample } from './measure.js';

/** The last line of a run; null is what could not be measured here. */
export type Result = {
  /** Ours through theirs: the median over the rounds of the worst case. */
  readonly throughputVsFastify: number | null;
  readonly throughputVsHpm: number | null;
  readonly throughputVsHttpxy: number | null;
  /** Our CPU time for a request through nginx's, of the worst case. */
  readonly cpuVsNginx: number | null;
  /** Milliseconds, at half of our throughput of the small case. */
  readonly addedP99MsVsNginx: number | null;
  readonly decisionUs: number | null;
  readonly rssSlopeKbPer100k: number | null;
  readonly routes: number;
};

type Figure = (sample: Sample) => number | null;
export const perSecond: Figure = (sample) => sample.perSecond;
export const cpuUs: Figure = (sample) => sample.cpuUs;
export const p99Ms: Figure = (sample) => sample.p99Ms;

/** What two contenders make of each other in the same rounds, case by case: a noisy minute meets both of them. */
export function medianOfRounds(
  samples: readonly Sample[],
  theirs: ContenderName,
  figure: Figure,
  join: (ours: number, their: number) => number,
): readonly number[] {
  return [...new Set(samples.map(({ of }) => of))].flatMap((of) => {
    const inCase = samples.filter((sample) => sample.of === of);
    const joined = inCase.flatMap((sample) => {
      const other = inCase.find(({ round, contender }) => round === sample.round && contender === theirs);
      const [our, their] = [figure(sample), other === undefined ? null : figure(other)];
      return sample.contender !== 'ours' || our === null || their === null ? [] : [join(our, their)];
    });
    return joined.length === 0 ? [] : [median(joined)];
  });
}

const ratio = (ours: number, theirs: number): number => ours / theirs;
const difference = (ours: number, theirs: number): number => ours - theirs;
const worst = (of: readonly number[], pick: (...numbers: number[]) => number): number | null =>
  of.length === 0 ? null : rounded(pick(...of));
export const rounded = (number: number): number => Math.round(number * 1_000) / 1_000;

export const throughputVs = (samples: readonly Sample[], theirs: ContenderName): number | null =>
  worst(medianOfRounds(samples, theirs, perSecond, ratio), Math.min);
export const cpuVs = (samples: readonly Sample[], theirs: ContenderName): number | null =>
  worst(medianOfRounds(samples, theirs, cpuUs, ratio), Math.max);
export const addedP99Vs = (samples: readonly Sample[], theirs: ContenderName): number | null =>
  worst(medianOfRounds(samples, theirs, p99Ms, difference), Math.max);

/** One line for each case and contender: medians of the rounds. What others take of the machine only adds to CPU time, so the least of it is told as well. */
export function table(samples: readonly Sample[]): readonly string[] {
  const keys = [...new Set(samples.map(({ of, contender }) => `${of} ${contender}`))];
  return [
    '| case | contender | req/s | CPU us a request | least | p50 ms | p99 ms |',
    '|---|---|---|---|---|---|---|',
    ...keys.map((key) => {
      const own = samples.filter(({ of, contender }) => `${of} ${contender}` === key);
      const show = (figure: Figure, digits: number) => {
        const known = own.map(figure).filter((each) => each !== null);
        return known.length === 0 ? '-' : median(known).toFixed(digits);
      };
      const cpu = own.map(cpuUs).filter((each) => each !== null);
      const least = cpu.length === 0 ? '-' : Math.min(...cpu).toFixed(1);
      const p50 = show((sample) => sample.p50Ms, 2);
      return `| ${key.replace(' ', ' | ')} | ${show(perSecond, 0)} | ${show(cpuUs, 1)} | ${least} | ${p50} | ${show(p99Ms, 2)} |`;
    }),
  ];
}
