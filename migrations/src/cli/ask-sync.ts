import { bearerOf, type Plan, StranglerError, urlOf } from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';

/** Asks sync's admin port about one migration and gives the body of its answer. Throws what sync answers, and SYNC_NOT_ASKED when it does not. */
export async function askSync(
  plan: Plan,
  migration: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const sync = urlOf(plan.sync.admin);
  const answer = await requestJson(method, `${sync}/migrations/${encodeURIComponent(migration)}${path}`, {
    ...(body !== undefined && { body }),
    headers: bearerOf(plan.sync.adminToken),
  }).catch((cause: unknown) => {
    throw syncNotAsked(sync, cause);
  });
  if (answer.status === 200) return answer.body;
  const told = errorIn(answer.body);
  if (!told) throw answerNotUnderstood(sync, answer.status);
  throw new StranglerError(told.code, answer.status, told.message);
}
