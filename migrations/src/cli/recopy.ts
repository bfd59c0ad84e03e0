import type { Plan, RecopyResult } from '@strangler/contracts';
import { count } from '../report/words.js';
import { askSync } from './ask-sync.js';

export type RecopyQuestion = {
  readonly table: string;
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
};

/** Asks sync to copy a table, or a range of its keys, once more. */
export const askForRecopy = async (
  plan: Plan,
  migration: string,
  question: RecopyQuestion,
): Promise<RecopyResult> => (await askSync(plan, migration, 'POST', '/recopy', question)) as RecopyResult;

export function recopyText(migration: string, { dryRun, recopy }: RecopyResult): string {
  const { table, from, to, total } = recopy;
  const range = `${from === null ? '' : ` from ${from}`}${to === null ? '' : ` to ${to}`}`;
  return `${migration}: table "${table}"${range} ${dryRun ? 'would be' : 'is being'} copied again, ${count(total)} rows of both sides${dryRun ? '' : '; see "strangler status"'}\n`;
}
