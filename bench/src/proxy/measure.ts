import { type Case, pathsOf } from './bench-plan.js';
import type { Contender, ContenderName } from './contender.js';
import { cpuSeconds } from './cpu-time.js';
import { load } from './load.js';

/** One contender in one round of one case. */
export type Sample = {
  readonly contender: ContenderName;
  readonly of: Case['name'];
  readonly round: number;
  readonly perSecond: number;
  /** Microseconds of CPU for each request; null without /proc. */
  readonly cpuUs: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
};

export type Order = {
  readonly contenders: readonly Contender[];
  readonly cases: readonly Case[];
  readonly cookies: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly rate?: number;
  readonly at: string;
  readonly tell: (line: string) => void;
};

/** Every case in rounds in which each contender has its turn, in an order that moves on, so that no one is always first. */
export async function measure(order: Order): Promise<readonly Sample[]> {
  const { contenders, cases, rounds, tell } = order;
  const samples: Sample[] = [];
  for (const of of cases)
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round) % contenders.length] as Contender;
        const sample = await measureOnce(contender, of, round, order);
        samples.push(sample);
        tell(
          `${of.name} ${round + 1}/${rounds} ${contender.name.padEnd(8)} ${sample.perSecond.toFixed(0).padStart(7)} req/s ` +
            `${sample.cpuUs?.toFixed(1) ?? '-'} us CPU, p50 ${sample.p50Ms.toFixed(2)} ms, p99 ${sample.p99Ms.toFixed(2)} ms` +
            (sample.errors > 0 ? `, ${sample.errors} errors` : ''),
        );
      }
  return samples;
}

async function measureOnce(contender: Contender, of: Case, round: number, order: Order): Promise<Sample> {
  const { cookies, seconds, rate, at } = order;
  const before = cpuSeconds(contender.pid);
  const loaded = await load(
    { url: contender.url, of, paths: pathsOf(of), cookies, seconds, ...(rate !== undefined && { rate }) },
    at,
  );
  const after = cpuSeconds(contender.pid);
  return {
    contender: contender.name,
    of: of.name,
    round,
    perSecond: loaded.requests / loaded.seconds,
    cpuUs: before === null || after === null ? null : ((after - before) * 1e6) / loaded.requests,
    p50Ms: loaded.p50Ms,
    p99Ms: loaded.p99Ms,
    errors: loaded.errors,
  };
}
