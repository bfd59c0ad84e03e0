import { setTimeout as delay } from 'node:timers/promises';
import {
  atRest,
  checkHistory,
  openSession,
  readJournal,
  type Servers,
  settleOn,
  verifyClean,
} from '@strangler/e2e/faults';
import { quantile } from './quantile.js';
import { steadyLoad, type Timed } from './steady-load.js';

export type CutoverBenchOptions = {
  readonly servers: Servers;
  readonly folder: string;
  /** So often there, and so often back. */
  readonly cutovers: number;
  readonly perSecond: number;
  readonly say: (sentence: string) => void;
};

export type CutoverBenchResult = {
  readonly cutovers: number;
  /** How long a client waited for the answer to a write that came while writes were held, milliseconds. */
  readonly holdMsP50: number;
  readonly holdMsP99: number;
  readonly holdMsMax: number;
  readonly failedRequests: number;
  readonly lostWrites: number;
  readonly duplicateWrites: number;
  /** 99th percentile of reads during cutovers through that of reads between them. */
  readonly readP99Ratio: number;
};

/** Between two moves: reads are measured there too. */
const BETWEEN_MS = 1_000;
const WARM_UP_MS = 3_000;
/** Of the journal's times, to the millisecond. */
const round = (milliseconds: number) => Math.round(milliseconds * 10) / 10;

/** One attempt: when each state was written, milliseconds since the epoch. */
type Attempt = ReadonlyMap<string, number>;

export async function runBench(options: CutoverBenchOptions): Promise<CutoverBenchResult> {
  const { servers, folder, cutovers, perSecond, say } = options;
  const session = await openSession(servers, folder);
  try {
    const load = steadyLoad({
      proxy: session.stage.proxies[0] ?? '',
      writesPerSecond: perSecond,
      readsPerSecond: perSecond,
      record: (write) => void session.writes.push(write),
    });
    await delay(WARM_UP_MS);
    const warm = load.done.length;
    for (let index = 0; index < 2 * cutovers; index++) {
      await settleOn(session, index % 2 === 0 ? 'extracted' : 'canary', () => {});
      await delay(BETWEEN_MS);
    }
    await load.stop();
    const findings = checkHistory(await atRest(session));
    await verifyClean(session.stage);
    for (const sentence of Object.values(findings).flat().slice(0, 20)) say(sentence);

    const attempts = await attemptsOf(session.stage);
    const requests = load.done.slice(warm);
    tellSteps(attempts, say);
    tellLoad(requests, say);
    const failed = requests.filter(({ sent }) => sent.outcome !== 'ok');
    for (const [told, count] of countBy(failed.map(({ sent }) => sent.told)))
      say(`${count} requests: ${told}`);
    const held = requests.filter(
      (request) => !request.isRead && attempts.some((one) => isWithin(request, one, 'HOLDING', 'OPEN')),
    );
    const reads = requests.filter(({ isRead }) => isRead);
    const during = reads.filter((read) =>
      attempts.some((one) => isWithin(read, one, 'PREPARING', 'REVERSING')),
    );
    const inside = new Set(during);
    const times = (list: readonly Timed[]) => list.map(({ beginAt, endAt }) => endAt - beginAt);
    const p99 = (list: readonly Timed[]) => quantile(times(list), 0.99);
    const between = reads.filter((read) => !inside.has(read));
    say(
      `reads: 99th percentile ${round(p99(during))} ms in ${during.length} during cutovers, ${round(p99(between))} ms in ${between.length} between`,
    );
    return {
      cutovers: attempts.filter((one) => one.has('COMMITTED')).length,
      holdMsP50: round(quantile(times(held), 0.5)),
      holdMsP99: round(p99(held)),
      holdMsMax: round(quantile(times(held), 1)),
      failedRequests: failed.length,
      lostWrites: findings.lost.length + findings.orderViolations.length,
      duplicateWrites: findings.duplicated.length + findings.doubleAuthority.length,
      readP99Ratio: Math.round((100 * p99(during)) / p99(between)) / 100,
    };
  } finally {
    await session.close();
  }
}

async function attemptsOf(stage: Parameters<typeof readJournal>[0]): Promise<readonly Attempt[]> {
  const attempts = new Map<number, Map<string, number>>();
  for (const { epoch, state, at } of await readJournal(stage)) {
    const attempt = attempts.get(epoch) ?? new Map<string, number>();
    attempts.set(epoch, attempt.set(state, at));
  }
  return [...attempts.values()];
}

/** Whether it was under way between two states of an attempt. */
function isWithin({ beginAt, endAt }: Timed, attempt: Attempt, from: string, to: string): boolean {
  const [begun, ended] = [attempt.get(from), attempt.get(to)];
  return begun !== undefined && ended !== undefined && endAt >= begun && beginAt <= ended;
}

/** What each step took, from the row of the journal before it to its own. */
function tellSteps(attempts: readonly Attempt[], say: (sentence: string) => void): void {
  const steps = new Map<string, number[]>();
  for (const attempt of attempts.filter((one) => one.has('OPEN'))) {
    let last: number | undefined;
    for (const [state, at] of attempt) {
      if (last !== undefined) steps.set(state, [...(steps.get(state) ?? []), at - last]);
      last = at;
    }
  }
  const sum = (list: readonly number[]) => list.reduce((all, each) => all + each, 0);
  const total = sum([...steps.values()].map(sum));
  for (const [state, times] of steps)
    say(
      `until ${state}: ${Math.round((100 * sum(times)) / total)} % of the time, p50 ${round(quantile(times, 0.5))} ms, p99 ${round(quantile(times, 0.99))} ms`,
    );
}

function tellLoad(requests: readonly Timed[], say: (sentence: string) => void): void {
  const [first, last] = [requests[0], requests.at(-1)];
  if (!first || !last) return;
  const seconds = (last.endAt - first.beginAt) / 1_000;
  const rate = (isRead: boolean) =>
    Math.round(requests.filter((request) => request.isRead === isRead).length / seconds);
  say(`${rate(false)} writes and ${rate(true)} reads a second for ${Math.round(seconds)} s`);
}

function countBy(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
