import { setTimeout as delay } from 'node:timers/promises';
import { type Phase, reasonOf } from '@strangler/contracts';
import { checkHistory, isClean } from './check-history.js';
import { type Choices, type Fault, nameOf } from './choose.js';
import { driveTo, restingPhase } from './drive.js';
import { watchFences } from './glimpse.js';
import type { Findings, History } from './history.js';
import { groupBy } from './group-by.js';
import { hurt, placeOf } from './hurt.js';
import { startLoad } from './load.js';
import { bringToCanary, historyOf, type Session, verifyClean } from './session.js';
import { MIGRATION } from './stage.js';

export type Run = Findings & {
  readonly seed: number;
  /** Why it did not come to rest with everything mended. */
  readonly stuck: readonly string[];
  readonly writes: Readonly<Record<'ok' | 'refused' | 'unknown', number>>;
  /** How often the fences were looked at. */
  readonly looks: number;
  /** What happened when, in milliseconds from its beginning. */
  readonly timeline: readonly string[];
};

export const isRunClean = (done: Run): boolean => isClean(done) && done.stuck.length === 0;

const MOVE_MS = 90_000;
const REST_MS = 60_000;

export type RunOptions = {
  readonly session: Session;
  readonly choices: Choices;
  /** Breaks a promise on purpose when everything has come to rest. */
  readonly sabotageEnd?: (session: Session) => Promise<void>;
};

/** Writes all the time; moves the authority to and fro while things break; mends everything, waits for rest, and judges. */
export async function run({ session, choices, sabotageEnd }: RunOptions): Promise<Run> {
  const { stage, writes, glimpses, fences } = session;
  const { seed, clients, copiesFirst, moves, faults } = choices;
  const begun = performance.now();
  const timeline: string[] = [];
  const tell = (sentence: string) =>
    void timeline.push(`${Math.round(performance.now() - begun)} ms: ${sentence}`);
  const stuck: string[] = [];
  const first = writes.length;
  const watch = watchFences(stage.databases, fences);
  const load = startLoad({
    proxies: stage.proxies,
    databases: stage.databases,
    name: `r${seed}-${first}`,
    seed,
    clients,
    pauseMs: 20,
    jobs: ['legacy', 'service'],
    record: (write) => void writes.push(write),
  });
  /** What hurts different places may overlap; one place is hurt once at a time. */
  const hurtAll = (move: number) => {
    const from = performance.now();
    const places = groupBy(
      faults.filter((fault) => fault.move === move),
      placeOf,
    );
    return Promise.all(
      [...places.values()].map(async (own: readonly Fault[]) => {
        for (const fault of own) {
          await delay(Math.max(0, fault.atMs - (performance.now() - from)));
          tell(`${nameOf(fault)} for ${fault.forMs} ms`);
          await hurt(fault, stage);
          tell(`${nameOf(fault)} is mended`);
        }
      }),
    );
  };
  try {
    if (copiesFirst) {
      await settleOn(session, 'canary', tell);
      await driveTo(stage, { phase: 'legacy', path: 'rollback', body: { to: 'legacy' } }, MOVE_MS, tell);
      await bringToCanary(session, tell, hurtAll(0));
    }
    for (let move = 1; move <= moves; move++) {
      const next = (await phaseAtRest(session)) === 'extracted' ? 'canary' : 'extracted';
      tell(`move ${move}, to ${next}`);
      const hurting = hurtAll(move);
      const driving = settleOn(session, next, tell).catch((error: unknown) => stuck.push(reasonOf(error)));
      await Promise.all([hurting, driving]);
    }
    // What ran on when the last fault was mended has been seen by somebody.
    await delay(200);
  } catch (error) {
    stuck.push(reasonOf(error));
  }
  await load.stop();
  const { looks, glimpses: seen } = await watch.stop();
  glimpses.push(...seen);
  tell('no client writes any more');
  let history: History | undefined;
  if (stuck.length === 0)
    try {
      history = await atRest(session);
      await verifyClean(stage);
      if (sabotageEnd) {
        await sabotageEnd(session);
        history = await historyOf(session);
      }
    } catch (error) {
      stuck.push(reasonOf(error));
    }
  history ??= await historyOf(session).catch(() => undefined);
  tell('at rest');
  const findings = history
    ? checkHistory(history)
    : { lost: [], duplicated: [], doubleAuthority: [], orderViolations: [] };
  const count = (outcome: string) => writes.slice(first).filter((write) => write.outcome === outcome).length;
  return {
    seed,
    ...findings,
    stuck,
    writes: { ok: count('ok'), refused: count('refused'), unknown: count('unknown') },
    looks,
    timeline,
  };
}

/** Moves the authority there, however often it has to be asked. */
export async function settleOn(
  { stage }: Session,
  phase: 'canary' | 'extracted',
  tell: (sentence: string) => void,
): Promise<void> {
  await driveTo(stage, { phase, path: phase === 'extracted' ? 'cutover' : 'rollback' }, MOVE_MS, tell);
}

async function phaseAtRest({ stage }: Session): Promise<Phase> {
  for (const deadline = performance.now() + REST_MS; performance.now() < deadline; await delay(100)) {
    const phase = await restingPhase(stage);
    if (phase) return phase;
  }
  throw new Error(`"${MIGRATION}" does not come to rest`);
}

/** What both sides have when nobody writes and nothing flows any more: equal, or what it is when the time is up. */
export async function atRest(session: Session): Promise<History> {
  let last: History | undefined;
  for (const deadline = performance.now() + REST_MS; ; await delay(150)) {
    const history = await historyOf(session).catch(() => undefined);
    // What is not there yet may still come; nothing else mends itself.
    if (history && checkHistory(history).lost.length === 0) return history;
    last = history ?? last;
    if (performance.now() < deadline) continue;
    if (last) return last;
    throw new Error('the databases do not answer');
  }
}
