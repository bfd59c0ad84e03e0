import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeptConflict } from '@strangler/contracts';
import { type AskedSync, openAskedSync } from './asked-sync.fixture.js';

const conflict: KeptConflict = {
  table: 'item',
  key: '7',
  policy: 'authority',
  winner: 'target',
  source: { title: 'ours' },
  target: null,
  at: '2026-01-02T03:04:05Z',
};
let sync: AskedSync;
beforeAll(async () => {
  sync = await openAskedSync(['conflicts', 'list'], ({ request }) =>
    request === 'GET /migrations/catalog/conflicts'
      ? { body: { conflicts: [conflict] } }
      : { status: 404, body: { code: 'MIGRATION_UNKNOWN', message: 'unknown' } },
  );
});
afterAll(() => sync.close());

describe('strangler conflicts list', () => {
  it('shows who won, by what, and both rows', async () => {
    expect(await sync.strangler('catalog')).toEqual({
      code: 0,
      err: '',
      out: 'catalog: the newest 1 conflicts\n  2026-01-02T03:04:05Z item:7: the target won by authority\n    source {"title":"ours"}\n    target null\n',
    });
    const { out } = await sync.strangler('catalog', '--json');
    expect(JSON.parse(out)).toEqual({ conflicts: [conflict] });
  });

  it('says what sync says of a migration without data', async () => {
    expect(await sync.strangler('other')).toMatchObject({ code: 2, err: 'unknown\n' });
  });
});
