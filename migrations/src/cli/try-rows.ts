import type { Plan, Problem } from '@strangler/contracts';
import { movesData } from '../evidence/evidence.js';
import { findProgram } from '../up/find-program.js';
import { preflight } from '../up/preflight.js';

/** Has sync look at the databases of a plan and try its mappings on rows of them; nothing is changed. */
export async function tryRows(
  plan: Plan,
  file: string,
  rows: number,
  environment: NodeJS.ProcessEnv,
): Promise<readonly Problem[]> {
  if (!movesData(plan)) return [];
  const name = 'strangler-sync';
  const script = findProgram(name, [process.cwd(), import.meta.dirname]);
  const asked = { name, script, ask: ['laws', '--rows', String(rows)] };
  return preflight([asked], file, environment, new AbortController().signal);
}
