import { isTesterName, LONGEST_TESTER_MS, type Plan, type Tester, testerToken } from '@strangler/contracts';
import { inputInvalid, migrationUnknown, noTesters } from '../errors.js';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export type MadeTester = {
  readonly token: string;
  /** The header or cookie it goes into, as it is written in a request. */
  readonly use: string;
  readonly tester: Tester;
};

function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const milliseconds = Number(count) * (UNITS[unit] ?? 0);
  if (milliseconds <= 0 || milliseconds > LONGEST_TESTER_MS)
    throw inputInvalid(text, 'is not how long a token may live: write "90m", "8h" or "7d", at most "30d"');
  return milliseconds;
}

/** Signs a tester's token with the secret of the plan. Nobody is asked, and nothing is stored. */
export function makeTester(
  plan: Plan,
  migration: string,
  wish: { readonly side: Tester['side']; readonly for: string; readonly name: string },
  now: number,
): MadeTester {
  const { testers, secret } = plan.proxy;
  if (!testers || secret === undefined) throw noTesters(plan.file);
  if (migration !== '*' && plan.migrations[migration] === undefined)
    throw migrationUnknown(migration, Object.keys(plan.migrations));
  if (!isTesterName(wish.name))
    throw inputInvalid(wish.name, 'is not the name of a tester: use letters, digits and "_.@-", at most 64');
  const tester = { name: wish.name, side: wish.side, migration, expiresAt: now + durationOf(wish.for) };
  const token = testerToken(secret, tester);
  const use = 'header' in testers ? `${testers.header}: ${token}` : `Cookie: ${testers.cookie}=${token}`;
  return { token, use, tester };
}

export const testerText = ({ use, tester }: MadeTester): string =>
  `${use}\n${tester.name} sees ${tester.side} in ${tester.migration === '*' ? 'every migration' : `"${tester.migration}"`} until ${new Date(tester.expiresAt).toISOString()}; only reads, in shadow and canary\n`;
