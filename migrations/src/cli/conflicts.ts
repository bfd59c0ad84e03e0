import type { KeptConflict, KeptConflicts, Plan } from '@strangler/contracts';
import { count } from '../report/words.js';
import { askSync } from './ask-sync.js';

/** The newest conflicts of a migration, as sync's target keeps them. */
export const conflictsOfMigration = async (plan: Plan, migration: string): Promise<KeptConflicts> =>
  (await askSync(plan, migration, 'GET', '/conflicts')) as KeptConflicts;

const line = ({ at, table, key, policy, winner, source, target }: KeptConflict): string =>
  `  ${at} ${table}:${key}: ${winner === 'nobody' ? 'parked' : `the ${winner} won`} by ${policy}\n    source ${JSON.stringify(source)}\n    target ${JSON.stringify(target)}\n`;

export const conflictsText = (migration: string, { conflicts }: KeptConflicts): string =>
  `${migration}: ${conflicts.length === 0 ? 'no conflicts are kept' : `the newest ${count(conflicts.length)} conflicts`}\n${conflicts.map(line).join('')}`;
