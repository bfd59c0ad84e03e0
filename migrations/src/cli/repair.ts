import type { Plan, RepairResult } from '@strangler/contracts';
import { count } from '../report/words.js';
import { askSync } from './ask-sync.js';

/** Asks sync to repair what verifications have found to differ, or only to say what that is. */
export const askForRepair = async (
  plan: Plan,
  migration: string,
  question: { readonly dryRun: boolean; readonly by: string },
): Promise<RepairResult> => (await askSync(plan, migration, 'POST', '/repair', question)) as RepairResult;

const rowsOf = (number: number) => `${count(number)} ${number === 1 ? 'row' : 'rows'}`;

export function repairText(migration: string, result: RepairResult): string {
  const { dryRun, total, left, repaired, equal, rows } = result;
  const lines = rows.map(({ table, key, kind, difference }) => `  ${table} ${key}, ${kind}: ${difference}\n`);
  const more = (dryRun ? total : left) - rows.length;
  const rest = more > 0 ? `  and ${rowsOf(more)} more\n` : '';
  const head = dryRun
    ? total === 0
      ? 'no row is known to differ; "strangler verify" looks'
      : `${rowsOf(total)} would be written from the source as they are then, or removed where it has none`
    : `${count(repaired)} ${repaired === 1 ? 'key' : 'keys'} repaired, ${count(equal)} equal meanwhile, ${rowsOf(left)} left${left === 0 ? '; see "strangler verify"' : ''}`;
  return `${migration}: ${head}\n${lines.join('')}${rest}`;
}
