import { bearerOf, type Explanation, type Plan, StranglerError, urlOf } from '@strangler/contracts';
import { answerNotUnderstood, inputInvalid, proxyNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';

const TIMEOUT_MS = 5_000;

const pair = (text: string, separator: string, example: string): [string, string] => {
  const at = text.indexOf(separator);
  if (at < 1) throw inputInvalid(text, `is not written like "${example}"`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
};

export type Question = {
  readonly method: string;
  readonly path: string;
  /** `NAME=VALUE` */
  readonly cookies: readonly string[];
  /** `NAME:VALUE` */
  readonly headers: readonly string[];
};

/** Asks the proxy where a request would go, and why. Nothing is sent on. */
export async function explain(plan: Plan, question: Question): Promise<Explanation> {
  if (!question.path.startsWith('/'))
    throw inputInvalid(question.path, 'is not a path: write "strangler explain GET /api/products/7"');
  const url = plan.proxy.replicas?.[0] ?? urlOf(plan.proxy.admin);
  const query = new URLSearchParams({ method: question.method.toUpperCase(), path: question.path });
  for (const cookie of question.cookies) {
    const [name, value] = pair(cookie, '=', 'cust=42');
    query.append(`cookie.${name}`, value);
  }
  for (const header of question.headers) {
    const [name, value] = pair(header, ':', 'x-user: 42');
    query.append(`header.${name}`, value);
  }
  const answer = await requestJson('GET', `${url}/explain?${query.toString()}`, {
    timeoutMs: TIMEOUT_MS,
    headers: bearerOf(plan.proxy.adminToken),
  }).catch((cause: unknown) => {
    throw proxyNotAsked(url, cause);
  });
  if (answer.status === 200) return answer.body as Explanation;
  const told = errorIn(answer.body);
  throw told
    ? new StranglerError(told.code, answer.status, told.message)
    : answerNotUnderstood(url, answer.status);
}

export const explanationText = (explanation: Explanation): string =>
  [
    `${explanation.method} ${explanation.path} -> ${explanation.upstream}${explanation.shadow ? ', and the service is asked beside it' : ''}\n`,
    `${explanation.reason}\n`,
    explanation.migration === null
      ? ''
      : `migration "${explanation.migration}", route "${explanation.route}", phase "${explanation.phase}", flag "${explanation.flag}"\n`,
    explanation.tester
      ? `tester: ${explanation.tester.name}, for the side of ${explanation.tester.side}\n`
      : '',
    explanation.client.kind === 'none'
      ? ''
      : `client: ${explanation.client.kind}${explanation.client.bucket === null ? '' : `, bucket ${explanation.client.bucket} of 100`}${(explanation.pin ?? null) === null ? '' : `, pin ${explanation.pin}`}\n`,
    explanation.by
      ? `said by ${explanation.by.instance}, plan ${explanation.by.planRevision}, state ${explanation.by.stateVersion}\n`
      : '',
  ].join('');
