import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { MigrationSync } from './migration-sync.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
beforeEach(async () => {
  shop = await openShop();
  await shop.fill(10);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});
const evidence = () => sync.evidence(Date.now());

it('no copy begins while rows are prepared that the log has and the tables do not; then none is missing', async () => {
  const writer = await shop.writer();
  const id = `'first-${shop.from.schema}'`;
  await writer.query(
    `XA START ${id}; UPDATE product SET name = 'prepared' WHERE id = 3; XA END ${id}; XA PREPARE ${id}`,
  );
  sync = shop.sync();
  await sync.wish('run');
  await until(() => evidence().problem !== null, 'a problem');
  expect(evidence().problem).toMatch(
    /^the server of ".*" has a prepared transaction of two phases \(.*\), whose rows/,
  );
  await writer.query(`XA COMMIT ${id}`);
  await settled(shop, evidence);
  expect(await shop.differences()).toEqual([]);
});
