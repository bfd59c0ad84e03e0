import { bearerOf, type Plan, StranglerError, urlOf, type Verification } from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import type { VerifyWish } from '../transition/control.js';
import { errorIn, requestJson } from '../evidence/request-json.js';

/** Has sync verify the copy of a migration, and waits for it as long as it takes. */
export const askSync =
  (plan: Plan) =>
  async (migration: string, wish: VerifyWish = {}): Promise<Verification> => {
    const url = urlOf(plan.sync.admin);
    const answer = await requestJson('POST', `${url}/migrations/${migration}/verify`, {
      body: wish,
      headers: bearerOf(plan.sync.adminToken),
    }).catch((cause: unknown) => {
      throw syncNotAsked(url, cause);
    });
    if (answer.status === 200) return answer.body as Verification;
    const told = errorIn(answer.body);
    if (!told) throw answerNotUnderstood(url, answer.status);
    throw new StranglerError(told.code, answer.status, told.message);
  };
