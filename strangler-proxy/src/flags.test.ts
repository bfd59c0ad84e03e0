import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeFlags } from './fake-flags.js';
import { FlagFile } from './flag-file.js';
import type { Flags } from './flags.js';
import { eventually, flagsText, writeFlags } from './proxy.fixture.js';
import { unleashFlags } from './unleash-flags.js';

const FLAG = 'strangler.catalog';
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function fileFlags(text?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'strangler-flags-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  if (text !== undefined) await writeFile(join(folder, 'flags.json'), text);
  const warnings: string[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line) => void warnings.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const flags = unleashFlags(new FlagFile(join(folder, 'flags.json')), log);
  await flags.start();
  cleanups.push(() => flags.stop());
  return { flags, folder, warnings };
}

const implementations: [
  string,
  (share: number) => Promise<{ flags: Flags; set: (share: number) => Promise<void> }>,
][] = [
  [
    'unleash over a file',
    async (share) => {
      const { flags, folder } = await fileFlags(flagsText(share));
      const set = async (next: number) => {
        await writeFlags(folder, next);
        await eventually(
          () => flags.share(FLAG),
          (seen) => seen === next,
        );
      };
      return { flags, set };
    },
  ],
  [
    'the fake',
    async (share) => {
      const flags = fakeFlags({ [FLAG]: share });
      return { flags, set: async (next) => flags.set(FLAG, next) };
    },
  ],
];

describe.each(implementations)('flags by %s', (_name, make) => {
  const anonymous = (id: string) => ({ kind: 'anonymous' as const, id });
  const ids = Array.from({ length: 2_000 }, (_, index) => `client-${index}`);
  const countOn = (flags: Flags) => ids.filter((id) => flags.isOn(FLAG, anonymous(id))).length;

  it('are off when nobody has heard of them', async () => {
    const { flags } = await make(50);
    expect([flags.isOn('other', anonymous('a')), flags.share('other')]).toEqual([false, 0]);
    expect(flags.bucket('other', anonymous('a'))).toBeNull();
  });

  it.each([
    [0, 0, 0],
    [10, 160, 240],
    [50, 920, 1_080],
    [100, 2_000, 2_000],
  ])('at %i %% are on for that share of the clients', async (share, least, most) => {
    const { flags } = await make(share);
    expect(flags.share(FLAG)).toBe(share);
    expect(countOn(flags)).toBeGreaterThanOrEqual(least);
    expect(countOn(flags)).toBeLessThanOrEqual(most);
  });

  it('keep every client that was on when the share grows', async () => {
    const { flags, set } = await make(10);
    const before = ids.filter((id) => flags.isOn(FLAG, anonymous(id)));
    await set(50);
    expect(before.every((id) => flags.isOn(FLAG, anonymous(id)))).toBe(true);
  });

  it('are on exactly for the buckets up to the share', async () => {
    const { flags } = await make(50);
    for (const id of ids.slice(0, 300))
      expect(flags.isOn(FLAG, anonymous(id))).toBe((flags.bucket(FLAG, anonymous(id)) as number) <= 50);
    expect(flags.bucket(FLAG, undefined)).toBeNull();
  });

  it('tell of a change and have another definition after it', async () => {
    const { flags, set } = await make(10);
    let told = 0;
    flags.onChange(() => told++);
    const before = flags.definition(FLAG);
    await set(50);
    expect(told).toBeGreaterThan(0);
    expect(flags.definition(FLAG)).not.toBe(before);
    await set(10);
    expect(flags.definition(FLAG)).toBe(before);
  });
});

describe('the share that is configured', () => {
  it.each([
    ['an enabled flag without strategies', { strategies: [] }, 100],
    ['a flag that is not enabled', { enabled: false }, 0],
    [
      'a rollout with a constraint',
      {
        strategies: [
          {
            name: 'flexibleRollout',
            parameters: { rollout: '10' },
            constraints: [{ contextName: 'userId', operator: 'IN', values: ['1'] }],
          },
        ],
      },
      null,
    ],
    [
      'a rollout for a segment',
      { strategies: [{ name: 'flexibleRollout', parameters: { rollout: '10' }, segments: [1] }] },
      null,
    ],
    [
      'two strategies',
      { strategies: [{ name: 'default' }, { name: 'flexibleRollout', parameters: { rollout: '10' } }] },
      null,
    ],
    ['another strategy', { strategies: [{ name: 'userWithId', parameters: { userIds: '1' } }] }, null],
  ])('of %s is %j', async (_what, rest, share) => {
    const { flags } = await fileFlags(flagsText(10, { enabled: true, ...rest }));
    expect(flags.share(FLAG)).toBe(share);
  });
});

describe('the file of flags', () => {
  const client = { kind: 'user' as const, id: 'u' };

  it('may be missing: everything is off, told once, and it is seen when it comes', async () => {
    const { flags, folder, warnings } = await fileFlags();
    expect(flags.isOn(FLAG, client)).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('every flag is off')]);
    await writeFlags(folder, 100);
    await eventually(() => flags.isOn(FLAG, client), Boolean);
  });

  it.each([
    ['no JSON', '{"version":2,'],
    ['no features', '{"version":2}'],
    ['null', 'null'],
    ['a feature without a name', '{"features":[{"enabled":true}]}'],
    ['strategies that are no list', '{"features":[{"name":"a","enabled":true,"strategies":{}}]}'],
  ])('leaves the last good version in force when it has %s, told once', async (_what, text) => {
    const { flags, folder, warnings } = await fileFlags(flagsText(100));
    await writeFlags(folder, 0, text);
    await eventually(
      () => warnings.length,
      (count) => count === 1,
    );
    expect(warnings[0]).toContain('the last good version stays in force');
    expect(flags.isOn(FLAG, client)).toBe(true);
    await writeFlags(folder, 0);
    await eventually(
      () => flags.isOn(FLAG, client),
      (on) => !on,
    );
    expect(warnings).toHaveLength(1);
  });

  it('is read again however it is written', async () => {
    const { flags, folder } = await fileFlags(flagsText(0));
    await writeFile(join(folder, 'flags.json'), flagsText(100));
    expect(await eventually(() => flags.isOn(FLAG, client), Boolean)).toBe(true);
    await rm(join(folder, 'flags.json'));
    expect(
      await eventually(
        () => flags.isOn(FLAG, client),
        (on) => !on,
      ),
    ).toBe(false);
  });

  it('ends in the last of many quick changes', async () => {
    const { flags, folder } = await fileFlags(flagsText(0));
    for (let share = 1; share <= 40; share++) await writeFlags(folder, share);
    expect(
      await eventually(
        () => flags.share(FLAG),
        (share) => share === 40,
      ),
    ).toBe(40);
  });
});
