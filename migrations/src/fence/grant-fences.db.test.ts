import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { quoted } from './fence-database.js';
import { fencesConformance } from './fences.conformance.js';
import { grantFences } from './grant-fences.js';
import { openShop, type Shop } from './shop.fixture.js';

const withAccount = async (shop: Shop, wide = false) => {
  const schema = quoted(shop.database.schema);
  const account = await shop.account([
    `SELECT${wide ? ', INSERT' : ''} ON ${schema}.*`,
    ...['one', 'two'].map((table) => `INSERT, UPDATE, DELETE, DROP ON ${schema}.${table}`),
  ]);
  return { account, fences: grantFences(shop.database, { user: account.user, host: '%' }) };
};

fencesConformance(
  async () => {
    const shop = await openShop();
    const { account, fences } = await withAccount(shop);
    return {
      fences,
      tables: ['one', 'two'],
      begin: async (as) => (as === 'applier' ? shop.begin(as) : shop.begin(as, await shop.connect(account))),
      close: () => shop.close(),
    };
  },
  { refusesAppliers: false, refusal: () => /command denied/ },
);

describe('a fence of grants', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
  });
  afterEach(() => shop.close());
  const order = { epoch: 1, coordinator: 1, timeoutMs: 20_000 };

  it('keeps the account from emptying a table too, and gives back exactly what it had', async () => {
    const { account, fences } = await withAccount(shop);
    const session = await shop.connect(account);
    const grants = async () =>
      (await shop.root.query(`SHOW GRANTS FOR '${account.user}'@'%'`))[0] as Record<string, string>[];
    const before = await grants();
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    await fences.close(['one', 'two'], order);
    for (const statement of ['TRUNCATE one', 'DROP TABLE two', 'DELETE FROM one'])
      await expect(session.query(statement)).rejects.toThrow('command denied');
    await fences.open(['one', 'two'], order);
    expect((await grants()).map((row) => Object.values(row)[0]).toSorted()).toEqual(
      before.map((row) => Object.values(row)[0]).toSorted(),
    );
  });

  it('cannot be had against an account that may write the whole schema, which is said', async () => {
    const { fences } = await withAccount(shop, true);
    await expect(fences.install(['one'], { open: true, epoch: 0 })).rejects.toMatchObject({
      code: 'FENCE_ACCOUNT_TOO_WIDE',
      message: expect.stringContaining('(INSERT)'),
    });
  });

  it('sees privileges that somebody gave back or took by hand', async () => {
    const { account, fences } = await withAccount(shop);
    const place = `${quoted(shop.database.schema)}.one`;
    await fences.install(['one'], { open: true, epoch: 0 });
    await shop.root.query(`REVOKE DELETE ON ${place} FROM '${account.user}'@'%'`);
    expect((await fences.look(['one']))[0]?.defects).toEqual([
      `does not let '${account.user}'@'%' DELETE although it is open`,
    ]);
    await fences.close(['one'], order);
    await shop.root.query(`GRANT UPDATE ON ${place} TO '${account.user}'@'%'`);
    expect((await fences.look(['one']))[0]?.defects).toEqual([`lets '${account.user}'@'%' still UPDATE`]);
  });
});
