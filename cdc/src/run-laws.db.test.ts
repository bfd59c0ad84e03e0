import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Problem } from '@strangler/contracts';
import { runLaws } from './run-laws.js';
import { openShop, type Shop } from './testing/shop.js';
import { removePlans, writePlan } from './testing/sync-process.js';

const BIN = resolve(import.meta.dirname, '../bin/strangler-sync.js');

let shop: Shop;
let plan: string;
beforeAll(async () => {
  shop = await openShop();
  await shop.fill(50);
  plan = await writePlan('127.0.0.1:1', 20);
});
afterAll(async () => {
  await shop.drop();
  await removePlans();
});

const environment = () => ({
  ...process.env,
  SECRET: '0123456789abcdef',
  LEGACY: shop.from.url,
  SERVICE: shop.to.url,
});
async function laws(...args: readonly string[]) {
  const said: string[] = [];
  const tell = (line: string) => void said.push(line);
  const code = await runLaws(args, environment(), { out: tell, err: tell });
  return { code, said };
}
const problemsIn = (text: string) => (JSON.parse(text) as { problems: readonly Problem[] }).problems;

describe('strangler-sync laws', () => {
  it('exits 0 where every row comes back, and 2 with rows that do not, or that would be parked', async () => {
    expect(await laws('--plan', plan)).toEqual({ code: 0, said: [] });
    await shop.from.root.query("UPDATE product SET added = '2024-03-31 02:30:00' WHERE id = 7");
    const { code, said } = await laws('--plan', plan, '--rows', '10', '--json');
    expect(code).toBe(2);
    expect(problemsIn(said.join()).map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^row "7" of table "product": column "added" holds "2024-03-31 02:30:00", which was skipped/,
      ),
    ]);
    await shop.from.root.query('UPDATE product SET added = NULL WHERE id = 7');
  });

  it.each([[[]], [['--plan', 'x', '--rows', '0']], [['--plan', 'x', '--rows', 'many']]])(
    'exits 2 and says how it is written for %j',
    async (args) => {
      expect(await laws(...args)).toEqual({
        code: 2,
        said: [expect.stringContaining('strangler-sync laws --plan FILE')],
      });
    },
  );

  it('loads functions in TypeScript as Node does, and tells what they lose', async () => {
    const folder = dirname(plan);
    await writeFile(
      join(folder, 'names.ts'),
      `export const loud = ({ name }: { name: string | null }): string | null => name?.toUpperCase() ?? null;
       export const quiet = ({ title }: { title: string | null }) => ({ name: title });`,
    );
    const file = join(folder, 'with-function.yaml');
    const rule = 'title: { function: ./names.ts#loud, reads: [name], back: ./names.ts#quiet }';
    await writeFile(file, (await readFile(plan, 'utf8')).replace('title: name', rule));
    const [code, out] = await new Promise<readonly [unknown, string]>((done) => {
      execFile(
        process.execPath,
        [BIN, 'laws', '--plan', file, '--json'],
        { env: environment() },
        (error, text) => done([error?.code, text]),
      );
    });
    expect([code, problemsIn(out).map((problem) => problem.message)]).toEqual([
      2,
      [
        expect.stringMatching(
          /^row "\d+" of table "product": column "name" holds "Lämp \d+", which comes back as "LÄMP \d+"/,
        ),
      ],
    ]);
  });
});
