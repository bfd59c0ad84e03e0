import type { Phase } from '@strangler/contracts';
import type { CommandResult } from './run-command.js';
import { ClaimFailed } from './story.js';
import type { World } from './world.js';

export type GateOutcome = { readonly gate: string; readonly met: boolean; readonly detail: string };
export type Transition = {
  readonly ok: boolean;
  readonly from: Phase;
  readonly to: Phase;
  readonly gates: readonly GateOutcome[];
  readonly steps: readonly string[];
  /** Of a cutover. */
  readonly heldMs?: number;
  readonly message?: string;
};

const parse = (result: CommandResult): unknown => {
  try {
    return JSON.parse(result.out);
  } catch {
    throw new ClaimFailed(`the CLI printed no JSON (exit ${result.code}): ${result.out}${result.err}`);
  }
};

/** An operator at the terminal, who reads JSON. Exit 3 says that a gate is unmet. */
export const operatorOf = (world: World, migration = 'catalog') => ({
  async advance(...options: string[]): Promise<Transition & { readonly code: number | null }> {
    const result = await world.strangler('advance', migration, '--by', 'demo', '--json', ...options);
    return { ...(parse(result) as Transition), code: result.code };
  },
  async rollback(
    ...options: string[]
  ): Promise<Transition & { readonly code: number | null; readonly milliseconds: number }> {
    const result = await world.strangler('rollback', migration, '--by', 'demo', '--json', ...options);
    return { ...(parse(result) as Transition), code: result.code, milliseconds: result.milliseconds };
  },
  async cutover(
    ...options: string[]
  ): Promise<Transition & { readonly code: number | null; readonly milliseconds: number }> {
    const result = await world.strangler('cutover', migration, '--by', 'demo', '--json', ...options);
    return { ...(parse(result) as Transition), code: result.code, milliseconds: result.milliseconds };
  },
});

/** Advances the catalog, asking again while a gate that only needs time is unmet. */
export const advanceWhenReady = (world: World, milliseconds: number, ...options: string[]) =>
  whenReady(milliseconds, () => operatorOf(world).advance(...options));

/** Asks again while a gate that only needs time is unmet. */
export async function whenReady<T extends Transition & { readonly code: number | null }>(
  milliseconds: number,
  ask: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const transition = await ask();
    if (transition.code === 0) return transition;
    const unmet =
      transition.gates?.filter(({ met }) => !met).map(({ gate, detail }) => `${gate}: ${detail}`) ?? [];
    if (transition.code !== 3 || performance.now() > deadline)
      throw new ClaimFailed(
        `could not advance (exit ${transition.code}): ${unmet.join('; ') || JSON.stringify(transition)}`,
      );
    await new Promise((done) => setTimeout(done, 700));
  }
}
