import { expect, it } from '@jest/globals';
import type { Verification } from '@strangler/contracts';
import { watchVerification } from './watch-verification.js';

const found: Verification = {
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  clean: true,
  rowsVerified: 0,
  driftRows: 0,
  tables: [],
};

it('a verification says how far it is, for how long where that is not known, and leaves nothing of it on the terminal', async () => {
  const said: string[] = [];
  let finish = () => {};
  let heard = () => {};
  const work = new Promise<Verification>((done) => (finish = () => done(found)));
  const twice = new Promise<void>((done) => (heard = done));
  const err = (text: string) => void (said.push(text) === 2 && heard());
  let asked = 0;
  const watching = watchVerification('shop', work, { out: err, err, interactive: true }, async () => {
    if (asked++ > 0) throw new Error('not there');
    return { startedAt: found.startedAt, table: 'product', looked: 1_200, total: 5_000 };
  });
  await twice;
  finish();
  expect(await watching).toBe(found);
  expect(said).toHaveLength(3);
  expect(said[0]).toMatch(/verifying "shop", \d+ s, table "product", 1,200 of about 5,000 rows$/);
  expect(said[1]).toMatch(/verifying "shop", \d+ s$/);
  expect(said[2]).toBe('\r\u001b[K');
});
