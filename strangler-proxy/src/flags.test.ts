import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeFlags } from './fake-flags.js';
import { FlagFile } from './flag-file.js';
import type { Flags } from './flags.js';
import { createRig, eventually, flagsText, writeFlags } from './proxy.fixture.js';
import { unleashFlags } from './unleash-flags.js';
import { TOKEN, unleashServer } from './unleash-server.fixture.js';
import { serverFlags } from './unleash-server.js';

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
  (share: number, stickiness?: string) => Promise<{ flags: Flags; set: (share: number) => Promise<void> }>,
][] = [
  [
    'unleash over a file',
    async (share, stickiness) => {
      const { flags, folder } = await fileFlags(flagsText(share, {}, stickiness));
      const set = async (next: number) => {
        await writeFlags(folder, next, flagsText(next, {}, stickiness));
        await eventually(
          () => flags.share(FLAG),
          (seen) => seen === next,
        );
      };
      return { flags, set };
    },
  ],
  [
    'unleash over a server',
    async (share, stickiness) => {
      const rig = createRig();
      cleanups.push(rig.clean);
      const server = await unleashServer(rig, share, stickiness);
      const plan = { url: server.url, token: TOKEN, appName: 'shop', environment: 'default', refreshMs: 100 };
      const flags = serverFlags({ server: plan, backup: undefined, log: pino({ level: 'silent' }) });
      await flags.start();
      cleanups.push(() => flags.stop());
      const set = async (next: number) => {
        server.set(next);
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
    async (share, stickiness) => {
      const flags = fakeFlags({ [FLAG]: share }, stickiness);
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

  it.each(['default', 'userId', 'sessionId', 'tenant', 'plan'])(
    'that stick to %s are on for everybody at 100 %%, whatever a client does not say of itself',
    async (stickiness) => {
      const { flags } = await make(100, stickiness);
      for (const id of ids.slice(0, 200))
        for (const client of [anonymous(id), { kind: 'user' as const, id }])
          expect([flags.isOn(FLAG, client), flags.stickTo(FLAG, client)]).toEqual([true, id]);
    },
  );

  it.each([
    ['tenant', { tenant: 'acme' }],
    ['sessionId', { session: 'acme' }],
    ['plan', { properties: { plan: 'acme' } }],
  ])('that stick to %s have all clients of one on one side', async (stickiness, traits) => {
    const { flags } = await make(50, stickiness);
    const sides = ids.slice(0, 200).map((id) => flags.isOn(FLAG, { ...anonymous(id), ...traits }));
    expect(new Set(sides).size).toBe(1);
    const buckets = ids
      .slice(0, 200)
      .map((id) => flags.bucket(FLAG, { ...anonymous(id), kind: 'user', ...traits }));
    expect(new Set(buckets).size).toBe(1);
    expect(sides[0]).toBe((buckets[0] as number) <= 50);
  });

  it('that stick to the client itself do not mind that its session changes', async () => {
    const { flags } = await make(50);
    for (const id of ids.slice(0, 200))
      expect(flags.isOn(FLAG, { ...anonymous(id), session: 'a' })).toBe(flags.isOn(FLAG, anonymous(id)));
  });

  it('are enabled when they are there and not turned off', async () => {
    const { flags, set } = await make(10);
    expect([flags.isEnabled(FLAG), flags.isEnabled('other')]).toEqual([true, false]);
    await set(0);
    expect(flags.isEnabled(FLAG)).toBe(false);
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

describe('a constraint of a flag', () => {
  it('sees user, session, tenant and properties as the plan has them', async () => {
    const only = (contextName: string, value: string) =>
      flagsText(100, {
        strategies: [
          {
            name: 'flexibleRollout',
            parameters: { rollout: '100', stickiness: 'tenant', groupId: 'x' },
            constraints: [{ contextName, operator: 'IN', values: [value] }],
          },
        ],
      });
    const client = {
      kind: 'user' as const,
      id: 'anna',
      session: 's1',
      tenant: 'acme',
      properties: { plan: 'gold' },
    };
    for (const [field, value] of [
      ['userId', 'anna'],
      ['sessionId', 's1'],
      ['tenant', 'acme'],
      ['plan', 'gold'],
    ] as const) {
      const { flags } = await fileFlags(only(field, value));
      expect(flags.isOn(FLAG, client)).toBe(true);
      // The own id stands in where a rollout sticks to what is missing, never where a constraint asks for it.
      expect(flags.isOn(FLAG, { kind: 'anonymous', id: value })).toBe(field === 'sessionId');
    }
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
