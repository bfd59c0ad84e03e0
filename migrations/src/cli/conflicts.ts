import {
  bearerOf,
  type KeptConflict,
  type KeptConflicts,
  type Plan,
  StranglerError,
  urlOf,
} from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';
import { count } from '../report/words.js';

/** The newest conflicts of a migration, as sync's target keeps them. */
export async function conflictsOfMigration(plan: Plan, migration: string): Promise<KeptConflicts> {
  const sync = urlOf(plan.sync.admin);
  const answer = await requestJson('GET', `${sync}/migrations/${encodeURIComponent(migration)}/conflicts`, {
    headers: bearerOf(plan.sync.adminToken),
  }).catch((cause: unknown) => {
    throw syncNotAsked(sync, cause);
  });
  if (answer.status === 200) return answer.body as KeptConflicts;
  const told = errorIn(answer.body);
  if (!told) throw answerNotUnderstood(sync, answer.status);
  throw new StranglerError(told.code, answer.status, told.message);
}

const line = ({ at, table, key, policy, winner, source, target }: KeptConflict): string =>
  `  ${at} ${table}:${key}: ${winner === 'nobody' ? 'parked' : `the ${winner} won`} by ${policy}\n    source ${JSON.stringify(source)}\n    target ${JSON.stringify(target)}\n`;

export const conflictsText = (migration: string, { conflicts }: KeptConflicts): string =>
  `${migration}: ${conflicts.length === 0 ? 'no conflicts are kept' : `the newest ${count(conflicts.length)} conflicts`}\n${conflicts.map(line).join('')}`;
