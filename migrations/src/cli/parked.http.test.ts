import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ParkedKey } from '@strangler/contracts';
import { ENVIRONMENT } from '../plan.fixture.js';
import { type AskedSync, openAskedSync } from './asked-sync.fixture.js';

const parkedKey = (key: string): ParkedKey => ({
  key,
  code: 'ROW_REFUSED',
  problem: 'the title is too long',
  events: 2,
  firstSeen: '2026-01-02T03:04:05Z',
  lastSeen: '2026-01-02T03:04:06Z',
});

let sync: AskedSync;
let keys: readonly ParkedKey[];
beforeAll(async () => {
  sync = await openAskedSync(['parked'], ({ body }) => {
    const dryRun = body?.['dryRun'] ?? false;
    const all = body?.['key'] === undefined ? keys.map(({ key }) => key) : [body['key']];
    return {
      body:
        body === undefined
          ? { keys }
          : { dryRun, keys: all, released: dryRun ? [] : all.slice(0, 1), parked: keys.slice(1) },
    };
  });
});
afterAll(() => sync.close());
beforeEach(() => {
  sync.asked.length = 0;
  keys = [parkedKey('item:7'), parkedKey('item:9')];
});

describe('strangler parked', () => {
  it('list: exits 3 while keys are parked and 0 when none is', async () => {
    expect(await sync.strangler('list', 'catalog')).toEqual({
      code: 3,
      err: '',
      out: 'catalog: 2 keys are parked\n  item:7: the title is too long; 2 changes from 2026-01-02T03:04:05Z to 2026-01-02T03:04:06Z\n  item:9: the title is too long; 2 changes from 2026-01-02T03:04:05Z to 2026-01-02T03:04:06Z\n',
    });
    keys = [];
    expect(await sync.strangler('list', 'catalog')).toMatchObject({
      code: 0,
      out: 'catalog: no key is parked\n',
    });
    const { out } = await sync.strangler('list', 'catalog', '--json');
    expect(JSON.parse(out)).toEqual({ keys: [] });
  });

  it('show: one of them; one that is not there exits 2 and says where to look', async () => {
    const { code, out } = await sync.strangler('show', 'catalog', 'item:9', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, parkedKey('item:9')]);
    expect(await sync.strangler('show', 'catalog', 'item:1')).toMatchObject({
      code: 2,
      err: '"item:1" is not parked in migration "catalog": take a key from "strangler parked list catalog"\n',
    });
  });

  it('retry: exits 3 when some stay, and with --dry-run only says which', async () => {
    expect(await sync.strangler('retry', 'catalog')).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^catalog: 1 of 2 repaired\n {2}item:7\nstill parked:\n {2}item:9: /),
    });
    expect(await sync.strangler('retry', 'catalog', 'item:7', '--dry-run')).toMatchObject({
      code: 0,
      out: 'catalog: these would be repaired\n  item:7\n',
    });
    expect(sync.asked).toEqual([
      { request: 'POST /migrations/catalog/parked/retry', body: {} },
      { request: 'POST /migrations/catalog/parked/retry', body: { key: 'item:7', dryRun: true } },
    ]);
  });

  it('shows the token that sync asks for', async () => {
    await sync.strangler('list', 'catalog');
    expect(sync.shown()).toBeUndefined();
    const { err } = await sync.withTokens('list', 'catalog');
    expect(err).toBe('');
    expect(sync.shown()).toBe(`Bearer ${ENVIRONMENT.SYNC_TOKEN}`);
  });

  it('discard: is refused without a reason, and tells sync who and why', async () => {
    expect((await sync.strangler('discard', 'catalog', 'item:7')).code).toBe(2);
    expect(sync.asked).toEqual([]);
    await sync.strangler('discard', 'catalog', 'item:7', '--why', 'a test row');
    expect(sync.asked).toEqual([
      {
        request: 'POST /migrations/catalog/parked/discard',
        body: { key: 'item:7', by: 'ann', why: 'a test row' },
      },
    ]);
  });
});
