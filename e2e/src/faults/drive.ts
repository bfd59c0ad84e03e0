import { setTimeout as delay } from 'node:timers/promises';
import { type Phase, type RoutingState, routingStateSchema } from '@strangler/contracts';
import { MIGRATION, type Stage } from './stage.js';

type GateSeen = { readonly gate: string; readonly met: boolean; readonly detail: string };
type Body = {
  readonly code?: string;
  readonly message?: string;
  readonly gates?: readonly GateSeen[];
  readonly clean?: boolean;
};
export type Answer = { readonly status: number; readonly body: Body; readonly gates: readonly GateSeen[] };

const ANSWER_MS = 40_000;
const AGAIN_MS = 150;
/** They ask for time or traffic that a search does not have; what keeps data safe is never forced. */
const IMPATIENT: ReadonlySet<string> = new Set([
  'proxy-answers',
  'comparisons',
  'comparisons-per-route',
  'service-failures',
  'service-ready',
  'lag',
]);

/** Asks the control plane as an operator's tool does; undefined when no answer came. */
export async function ask(stage: Stage, path: string, body: object): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${stage.control}/v1/migrations/${MIGRATION}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ by: 'faults', ...body }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answered = (await response.json()) as Body;
    return { status: response.status, body: answered, gates: answered.gates ?? [] };
  } catch {
    return undefined;
  }
}

export async function routingState(stage: Stage): Promise<RoutingState | undefined> {
  try {
    const response = await fetch(`${stage.control}/v1/state?after=0`, { signal: AbortSignal.timeout(3_000) });
    return routingStateSchema.parse(await response.json());
  } catch {
    return undefined;
  }
}

/** Where the migration is and rests; undefined while its writes are held, or nobody says. */
export async function restingPhase(stage: Stage): Promise<Phase | undefined> {
  const state = await routingState(stage);
  const migration = state?.migrations[MIGRATION];
  return state === undefined || migration?.hold ? undefined : (migration?.phase ?? 'legacy');
}

export type Driven = { readonly phase: Phase; readonly path: string; readonly body?: object };

/** Asks for a move until the migration rests in the phase; tells every answer. Throws when it does not get there. */
export async function driveTo(
  stage: Stage,
  { phase, path, body = {} }: Driven,
  milliseconds: number,
  tell: (sentence: string) => void,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  let force = false;
  for (let told = ''; ; await delay(AGAIN_MS)) {
    if ((await restingPhase(stage)) === phase) return;
    if (performance.now() > deadline) throw new Error(`it did not come to "${phase}": ${told}`);
    const answer = await ask(stage, path, {
      ...body,
      ...(force ? { force, why: 'a search for faults does not wait' } : {}),
    });
    const unmet = answer?.gates.filter(({ met }) => !met) ?? [];
    const { code = '', message = '' } = answer?.body ?? {};
    const now =
      answer === undefined ? 'no answer' : `${answer.status} ${code} ${message}`.slice(0, 400).trim();
    if (now !== told) tell(`${path}: ${now}`);
    told = now;
    if (unmet.some(({ gate }) => gate === 'verification')) await ask(stage, 'verify', {});
    force = unmet.length > 0 && unmet.every(({ gate }) => IMPATIENT.has(gate));
  }
}
