import type { ParkedKey, ParkedKeys, ParkingResult, Plan } from '@strangler/contracts';
import { count } from '../report/words.js';
import { askSync } from './ask-sync.js';

export type ParkingQuestion = {
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly by?: string;
  readonly why?: string;
};

/** The parking lot of a migration, as sync has it. */
export function parkingOf(plan: Plan, migration: string) {
  const tell = async (verb: string, question: ParkingQuestion) =>
    (await askSync(plan, migration, 'POST', `/parked/${verb}`, question)) as ParkingResult;
  return {
    list: async () => (await askSync(plan, migration, 'GET', '/parked')) as ParkedKeys,
    retry: (question: ParkingQuestion) => tell('retry', question),
    discard: (question: ParkingQuestion) => tell('discard', question),
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
