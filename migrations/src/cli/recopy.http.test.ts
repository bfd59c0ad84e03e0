import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type AskedSync, openAskedSync } from './asked-sync.fixture.js';

let sync: AskedSync;
beforeAll(async () => {
  sync = await openAskedSync(['recopy'], ({ body = {} }) => {
    if (body['table'] !== 'stock')
      return { status: 404, body: { code: 'TABLE_NOT_MAPPED', message: 'table "x" is not copied' } };
    const recopy = {
      table: 'stock',
      from: body['from'] ?? null,
      to: body['to'] ?? null,
      looked: 0,
      total: 2_400,
      removed: 0,
      etaMs: null,
      requestedAt: '2026-01-02T03:04:05Z',
      finishedAt: null,
    };
    return { body: { dryRun: body['dryRun'] ?? false, recopy } };
  });
});
afterAll(() => sync.close());

it('strangler recopy asks sync for a table or a range of it, and says what was begun', async () => {
  expect(await sync.strangler('catalog', 'stock')).toEqual({
    code: 0,
    err: '',
    out: 'catalog: table "stock" is being copied again, 2,400 rows of both sides; see "strangler status"\n',
  });
  expect(await sync.strangler('catalog', 'stock', '--from', '7', '--to', '9', '--dry-run')).toMatchObject({
    code: 0,
    out: 'catalog: table "stock" from 7 to 9 would be copied again, 2,400 rows of both sides\n',
  });
  const { out } = await sync.strangler('catalog', 'stock', '--json');
  expect(JSON.parse(out)).toMatchObject({ dryRun: false, recopy: { table: 'stock', total: 2_400 } });
  expect(sync.asked.map(({ request, body }) => [request, body])).toEqual([
    ['POST /migrations/catalog/recopy', { table: 'stock' }],
    ['POST /migrations/catalog/recopy', { table: 'stock', from: '7', to: '9', dryRun: true }],
    ['POST /migrations/catalog/recopy', { table: 'stock' }],
  ]);
  const refused = await sync.strangler('catalog', 'x');
  expect([refused.code === 0, refused.err]).toEqual([false, 'table "x" is not copied\n']);
});
