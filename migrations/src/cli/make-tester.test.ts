import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testerOf } from '@strangler/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';

describe('strangler tester', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tester-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const run = async (args: string[], testers: string | null = '{ header: X-Strangler-Tester }') => {
    const plan = join(folder, 'strangler.yaml');
    const text =
      testers === null ? planText() : planText().replace('proxy: {', `proxy: { testers: ${testers},`);
    await writeFile(plan, text);
    const printed = { out: '', err: '' };
    const code = await runCli(['tester', '--plan', plan, ...args], {
      terminal: {
        out: (line) => void (printed.out += line),
        err: (line) => void (printed.err += line),
        interactive: false,
      },
      environment: ENVIRONMENT,
      operator: 'ann',
      up: async () => 1,
      doctor: async () => [],
    });
    return { code, ...printed };
  };

  it('prints a token that proves who may see which side for how long, without asking anybody', async () => {
    const before = Date.now();
    const { code, out } = await run(['catalog', '--side', 'legacy', '--for', '90m', '--name', 'anna']);
    expect(code).toBe(0);
    const [, token = ''] = /^x-strangler-tester: (\S+)$/m.exec(out) ?? [];
    const tester = testerOf(ENVIRONMENT.SECRET, token, before);
    expect(tester).toMatchObject({ name: 'anna', side: 'legacy', migration: 'catalog' });
    expect((tester?.expiresAt ?? 0) - before).toBeGreaterThanOrEqual(90 * 60_000);
    expect((tester?.expiresAt ?? 0) - Date.now()).toBeLessThanOrEqual(90 * 60_000);
    expect(out).toContain('anna sees legacy in "catalog" until');
  });

  it('is by default for the service, eight hours and the operator; --json is for programs', async () => {
    const { out } = await run(['*', '--json'], '{ cookie: strangler_tester }');
    const made = JSON.parse(out) as { token: string; use: string };
    expect(made).toMatchObject({ tester: { name: 'ann', side: 'service', migration: '*' } });
    expect(made.use).toBe(`Cookie: strangler_tester=${made.token}`);
  });

  it.each([
    ['a migration that is not there', ['basket'], /migration "basket" is not in the plan/],
    ['a duration that is none', ['catalog', '--for', 'ever'], /"ever" is not how long a token may live/],
    ['more than 30 days', ['catalog', '--for', '31d'], /at most "30d"/],
    ['a name that could end a header', ['catalog', '--name', 'a\r\nb'], /is not the name of a tester/],
    ['a side that is none', ['catalog', '--side', 'both'], /Allowed choices are legacy, service/],
  ])('refuses %s', async (_what, args, sentence) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(sentence);
  });

  it('says what is missing where the plan has no testers', async () => {
    const { code, err } = await run(['catalog'], null);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('add "testers: { header: x-strangler-tester }"'),
    ]);
  });
});
