import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { quoted } from './fence-database.js';
import { openShop, type Shop } from './shop.fixture.js';
import { oldTransactions } from './transactions.js';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const ours = async (maxMs: number, user: string) =>
  (await oldTransactions(shop.database, maxMs)).filter(({ account }) => account.startsWith(`${user}@`));

describe('old transactions', () => {
  it('are those that have written, with who it is; readers are none', async () => {
    const account = await shop.account([`ALL ON ${quoted(shop.database.schema)}.*`]);
    const [writer, reader] = [await shop.connect(account), await shop.connect(account)];
    await writer.query('START TRANSACTION');
    await writer.query("INSERT INTO one (title) VALUES ('x')");
    await reader.query('START TRANSACTION');
    await reader.query('SELECT * FROM two');
    // The view is made anew only when nobody has looked for 100 ms.
    await shop.root.query('DO SLEEP(0.3)');
    expect(await ours(100, account.user)).toEqual([
      {
        id: expect.any(String),
        ageMs: expect.any(Number),
        account: expect.stringMatching(/@/),
        statement: null,
      },
    ]);
    expect(await ours(600_000, account.user)).toEqual([]);
    await writer.query('COMMIT');
    await shop.root.query('DO SLEEP(0.3)');
    expect(await ours(0, account.user)).toEqual([]);
  });

  it('are not shown to an account without PROCESS, which is said with the GRANT', async () => {
    const account = await shop.account([`ALL ON ${quoted(shop.database.schema)}.*`]);
    await expect(oldTransactions(account.database, 1_000)).rejects.toMatchObject({
      code: 'PROCESS_PRIVILEGE_MISSING',
      message: expect.stringContaining(`GRANT PROCESS ON *.* TO '${account.user}'@'%'`),
    });
  });
});
