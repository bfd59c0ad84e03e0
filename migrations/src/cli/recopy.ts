import { bearerOf, type Plan, type RecopyResult, StranglerError, urlOf } from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';
import { count } from '../report/words.js';

export type RecopyQuestion = {
  readonly table: string;
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
};

/** Asks sync to copy a table, or a range of its keys, once more. */
export async function askForRecopy(
  plan: Plan,
  migration: string,
  question: RecopyQuestion,
): Promise<RecopyResult> {
  const sync = urlOf(plan.sync.admin);
  const answer = await requestJson('POST', `${sync}/migrations/${encodeURIComponent(migration)}/recopy`, {
    body: question,
    headers: bearerOf(plan.sync.adminToken),
  }).catch((cause: unknown) => {
    throw syncNotAsked(sync, cause);
  });
  if (answer.status === 200) return answer.body as RecopyResult;
  const told = errorIn(answer.body);
  if (!told) throw answerNotUnderstood(sync, answer.status);
  throw new StranglerError(told.code, answer.status, told.message);
}

export function recopyText(migration: string, { dryRun, recopy }: RecopyResult): string {
  const { table, from, to, total } = recopy;
  const range = `${from === null ? '' : ` from ${from}`}${to === null ? '' : ` to ${to}`}`;
  return `${migration}: table "${table}"${range} ${dryRun ? 'would be' : 'is being'} copied again, ${count(total)} rows of both sides${dryRun ? '' : '; see "strangler status"'}\n`;
}
