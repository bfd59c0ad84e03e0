import {
  bearerOf,
  type ParkedKey,
  type ParkedKeys,
  type ParkingResult,
  type Plan,
  StranglerError,
  urlOf,
} from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';
import { count } from '../report/words.js';

export type ParkingQuestion = {
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly by?: string;
  readonly why?: string;
};

/** The parking lot of a migration, as sync has it. */
export function parkingOf(plan: Plan, migration: string) {
  const sync = urlOf(plan.sync.admin);
  const ask = async (method: 'GET' | 'POST', verb: string, body?: ParkingQuestion) => {
    const url = `${sync}/migrations/${encodeURIComponent(migration)}/parked${verb}`;
    const answer = await requestJson(method, url, {
      ...(body !== undefined && { body }),
      headers: bearerOf(plan.sync.adminToken),
    }).catch((cause: unknown) => {
      throw syncNotAsked(sync, cause);
    });
    if (answer.status === 200) return answer.body;
    const told = errorIn(answer.body);
    if (!told) throw answerNotUnderstood(sync, answer.status);
    throw new StranglerError(told.code, answer.status, told.message);
  };
  return {
    list: async () => (await ask('GET', '')) as ParkedKeys,
    retry: async (question: ParkingQuestion) => (await ask('POST', '/retry', question)) as ParkingResult,
    discard: async (question: ParkingQuestion) => (await ask('POST', '/discard', question)) as ParkingResult,
  };
}

const line = ({ key, problem, events, firstSeen, lastSeen }: ParkedKey): string =>
  `  ${key}: ${problem}; ${count(events)} ${events === 1 ? 'change' : 'changes'} from ${firstSeen} to ${lastSeen}\n`;

export const parkedText = (migration: string, { keys }: ParkedKeys): string =>
  `${migration}: ${keys.length === 0 ? 'no key is parked' : `${count(keys.length)} ${keys.length === 1 ? 'key is' : 'keys are'} parked`}\n${keys.map(line).join('')}`;

export const parkingText = (
  migration: string,
  done: 'repaired' | 'given up',
  { dryRun, keys, released, parked }: ParkingResult,
): string =>
  dryRun
    ? `${migration}: ${keys.length === 0 ? 'no key would be' : `these would be`} ${done}\n${keys.map((key) => `  ${key}\n`).join('')}`
    : [
        `${migration}: ${count(released.length)} of ${count(keys.length)} ${done}\n`,
        ...released.map((key) => `  ${key}\n`),
        ...(parked.length === 0 ? [] : ['still parked:\n', ...parked.map(line)]),
      ].join('');
