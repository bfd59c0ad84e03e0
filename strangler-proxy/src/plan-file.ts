import { type LoadedPlan, loadPlan } from '@strangler/contracts';
import type { Logger } from 'pino';
import { watchFile } from './watch-file.js';

/** Where a plan comes from, again and again. */
export type PlanSource = {
  /** Throws when there is no plan to read; what is wrong in it is a value. */
  load(): Promise<LoadedPlan>;
  /** Calls back once at first and then whenever `load` may say something else. */
  watch(onChange: () => void): Promise<{ stop(): void }>;
};

// An editor that does not rename writes a plan in pieces, and a piece can be a right plan with fewer routes.
const DEBOUNCE_MS = 250;

/** The plan in a file. What enters by !env is that of the start of the process. */
export const planFile = (
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): PlanSource => ({
  load: () => loadPlan(file, environment),
  watch: (onChange) =>
    watchFile(file, {
      debounceMs: DEBOUNCE_MS,
      onText: onChange,
      onLost: (error) =>
        log.warn({ err: error }, 'changes of the plan are noticed two seconds late from now on'),
    }),
});
