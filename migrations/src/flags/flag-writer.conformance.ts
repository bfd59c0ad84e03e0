import { expect, it } from '@jest/globals';
import type { Features } from './features.js';
import type { FlagWriter } from './flag-writer.js';

/** A flag as an operator may have made it in Unleash: testers beside the dial, a description, an unknown key. */
const FOREIGN: Features = {
  version: 2,
  features: [
    {
      name: 'strangler.catalog',
      description: 'written by hand',
      enabled: true,
      variants: [],
      strategies: [
        { name: 'userWithId', parameters: { userIds: '7,8' }, constraints: [] },
        {
          name: 'flexibleRollout',
          title: 'Berlin',
          parameters: { rollout: '100', stickiness: 'default', groupId: 'x' },
          constraints: [{ contextName: 'city', operator: 'IN', values: ['Berlin'] }],
        },
        {
          name: 'flexibleRollout',
          title: 'dial',
          parameters: { rollout: '10', stickiness: 'userId', groupId: 'mine' },
          constraints: [],
        },
      ],
    },
    { name: 'unrelated', enabled: true, strategies: [{ name: 'default' }] },
  ],
  segments: [{ id: 1, constraints: [] }],
};

/** What every flag writer promises. `read` gives what the flags are now, as Unleash's client API has it. */
export function flagWriterConformance(
  open: (features?: Features) => Promise<{ writer: FlagWriter; read: () => Promise<Features> }>,
): void {
  it('takes a flag that is not there as off', async () => {
    const { writer } = await open();
    expect(await writer.share('strangler.catalog')).toBe(0);
  });

  it('gives back the share it has set', async () => {
    const { writer, read } = await open();
    await writer.setShare('strangler.catalog', 10);
    expect(await writer.share('strangler.catalog')).toBe(10);
    await writer.setShare('strangler.catalog', 50);
    expect((await read()).features).toEqual([
      expect.objectContaining({
        name: 'strangler.catalog',
        enabled: true,
        strategies: [
          {
            name: 'flexibleRollout',
            parameters: { rollout: '50', stickiness: 'default', groupId: 'strangler.catalog' },
            constraints: [],
          },
        ],
      }),
    ]);
  });

  it('turns a flag off at 0 %, for everyone', async () => {
    const { writer, read } = await open();
    await writer.setShare('strangler.catalog', 50);
    await writer.setShare('strangler.catalog', 0);
    expect(await writer.share('strangler.catalog')).toBe(0);
    expect((await read()).features[0]?.enabled).toBe(false);
  });

  it('makes the flags that are missing, turned off, and leaves the others', async () => {
    const { writer, read } = await open();
    await writer.setShare('strangler.catalog', 50);
    await writer.ensure(['strangler.catalog', 'strangler.search']);
    expect((await read()).features.map(({ name, enabled }) => [name, enabled])).toEqual([
      ['strangler.catalog', true],
      ['strangler.search', false],
    ]);
  });

  it('takes a flag away and leaves the others', async () => {
    const { writer, read } = await open();
    await writer.ensure(['strangler.catalog', 'strangler.search']);
    expect(await writer.remove('strangler.catalog')).toBe(true);
    expect((await read()).features.map(({ name }) => name)).toEqual(['strangler.search']);
    expect(await writer.share('strangler.catalog')).toBe(0);
  });

  it('turns only the dial of a flag that others have written too', async () => {
    const { writer, read } = await open(FOREIGN);
    expect(await writer.share('strangler.catalog')).toBeNull();
    await writer.setShare('strangler.catalog', 25);
    const expected = structuredClone(FOREIGN);
    const dial = expected.features[0]?.strategies?.[2];
    if (dial?.parameters) dial.parameters['rollout'] = '25';
    expect(await read()).toEqual(expected);
  });

  it('adds a dial where there is none, and keeps the strategies', async () => {
    const { writer, read } = await open({
      version: 2,
      features: [
        { name: 'f', enabled: true, strategies: [{ name: 'userWithId', parameters: { userIds: '7' } }] },
      ],
    });
    await writer.setShare('f', 10);
    expect((await read()).features[0]?.strategies?.map(({ name }) => name)).toEqual([
      'userWithId',
      'flexibleRollout',
    ]);
  });

  it('loses no change of several at once', async () => {
    const { writer, read } = await open();
    const names = Array.from({ length: 12 }, (_, index) => `flag-${index}`);
    await Promise.all(names.map((name, index) => writer.setShare(name, index + 1)));
    expect(await Promise.all(names.map((name) => writer.share(name)))).toEqual(
      names.map((_, index) => index + 1),
    );
    expect((await read()).features).toHaveLength(12);
  });
}
