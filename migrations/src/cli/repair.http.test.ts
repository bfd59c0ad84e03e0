import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type AskedSync, openAskedSync } from './asked-sync.fixture.js';

const row = {
  table: 'item',
  kind: 'different',
  key: '7',
  difference: 'title: "a" expected, "b" found',
} as const;
let left = 1;
let sync: AskedSync;
beforeAll(async () => {
  sync = await openAskedSync(['repair'], ({ body = {} }) => ({
    body: body['dryRun']
      ? { dryRun: true, total: 2_400, left: 2_400, repaired: 0, equal: 0, rows: [row] }
      : {
          dryRun: false,
          total: 2_400,
          left,
          repaired: 2_390,
          equal: 9,
          rows: left === 0 ? [] : [row],
        },
  }));
});
afterAll(() => sync.close());

it('strangler repair says what differs, and writes only with --apply', async () => {
  const plan = {
    code: 3,
    err: '',
    out: 'catalog: 2,400 rows would be written from the source as they are then, or removed where it has none\n  item 7, different: title: "a" expected, "b" found\n  and 2,399 rows more\n',
  };
  expect(await sync.strangler('catalog', '--plan-only')).toEqual(plan);
  expect(await sync.strangler('catalog', '--dry-run')).toEqual(plan);
  expect(await sync.strangler('catalog')).toEqual(plan);
  expect(await sync.strangler('catalog', '--apply', '--by', 'bob')).toEqual({
    code: 3,
    err: '',
    out: 'catalog: 2,390 keys repaired, 9 equal meanwhile, 1 row left\n  item 7, different: title: "a" expected, "b" found\n',
  });
  left = 0;
  expect(await sync.strangler('catalog', '--apply')).toMatchObject({
    code: 0,
    out: 'catalog: 2,390 keys repaired, 9 equal meanwhile, 0 rows left; see "strangler verify"\n',
  });
  expect((await sync.strangler('catalog', '--apply', '--plan-only')).code).not.toBe(0);
  expect(sync.asked.map(({ request, body }) => [request, body])).toEqual([
    ...Array.from({ length: 3 }, () => ['POST /migrations/catalog/repair', { dryRun: true, by: 'ann' }]),
    ['POST /migrations/catalog/repair', { dryRun: false, by: 'bob' }],
    ['POST /migrations/catalog/repair', { dryRun: false, by: 'ann' }],
  ]);
});
