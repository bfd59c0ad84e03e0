import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConnection, type Connection } from 'mysql2/promise';
import type { MigrationSync } from './migration-sync.js';
import type { StopPointName } from './stop-points.js';
import { seeded, until } from './testing/databases.js';
import { type Replicated, replicated } from './testing/replicated.js';
import { openShop, settled, type Shop, writeAtRandom } from './testing/shop.js';

let servers: Replicated;
let shop: Shop;
let replica: Connection;
let sync: MigrationSync;
const own: Connection[] = [];
let hold: Promise<void> | undefined;
let isHeld = false;

beforeEach(async () => {
  servers = await replicated();
  shop = await openShop(servers.primary, process.env['STRANGLER_MYSQL_URL'] ?? '');
  await shop.fill(60);
  await servers.caughtUp();
  replica = await createConnection({
    uri: urlOn(servers.replica),
    multipleStatements: true,
    dateStrings: true,
  });
  own.push(replica);
  await replica.query("SET time_zone = '+00:00'");
  hold = undefined;
  isHeld = false;
  sync = shop.sync({
    failover: [urlOn(servers.replica)],
    stopPoints: async (point: StopPointName) => {
      if (point !== 'before-commit' || !hold) return;
      isHeld = true;
      await hold;
    },
  });
  void sync.wish('run');
  await settled(shop, evidence);
});
afterEach(async () => {
  await sync?.stop();
  for (const connection of own.splice(0)) connection.destroy();
  shop?.from.root.destroy();
  await shop?.to.root.query(
    `DROP DATABASE ${shop.to.schema}; DROP DATABASE IF EXISTS ${shop.to.schema}_strangler`,
  );
  await shop?.to.root.end();
  await servers?.stop();
});

const evidence = () => sync.evidence(Date.now());
function urlOn(server: string): string {
  const url = new URL(server);
  url.pathname = new URL(shop.from.url).pathname;
  return url.href;
}
/** The shop as it is on the replica that was promoted. */
const promoted = (): Shop => ({ ...shop, from: { ...shop.from, root: replica } });
const differences = () => shop.differences(replica);

describe('a sync whose source has another server to fail over to', () => {
  it('goes on there behind the same transaction when the primary is killed, nothing lost and nothing twice', async () => {
    const writer = await shop.writer();
    writer.on('error', () => {});
    let count = 0;
    const writing = (await writeAtRandom(writer, seeded(7), () => ++count > 40)) > 0;
    expect(writing).toBe(true);
    // From here on the target stands still, so that what follows is to be read from the other server.
    let letGo: () => void = () => {};
    hold = new Promise((done) => (letGo = done));
    await until(() => isHeld, 'the flow is held');
    await writeAtRandom(writer, seeded(8), () => ++count > 120);
    await shop.from.root.query("INSERT INTO product (id, name) VALUES (500001, 'last on the primary')");
    await servers.caughtUp();
    servers.killPrimary();
    hold = undefined;
    letGo();
    await until(() => /read-only/.test(evidence().problem ?? ''), 'the replica is found read-only');
    await servers.promote();
    await replica.query("INSERT INTO product (id, name) VALUES (500002, 'first on the other')");
    const second = await createConnection({ uri: urlOn(servers.replica), multipleStatements: true });
    own.push(second);
    await writeAtRandom(second, seeded(9), () => ++count > 160);
    await settled(promoted(), evidence);
    expect(await differences()).toEqual([]);
    expect(evidence()).toMatchObject({ state: 'tailing', problem: null });
    expect(shop.log).toContain('migration "catalog" goes on at another server of database "legacy"');
    expect(await sync.verify()).toMatchObject({ clean: true });
  });

  it('waits with a sentence for a server that does not yet have what was applied', async () => {
    await servers.holdApplying();
    await shop.from.root.query("INSERT INTO product (id, name) VALUES (500003, 'applied, not replicated')");
    await settled(shop, evidence);
    await servers.caughtUp('received');
    servers.killPrimary();
    await until(
      () => /does not have all transactions/.test(evidence().problem ?? ''),
      'it is said what is waited for',
    );
    expect(evidence().state).not.toBe('stopped');
    await servers.applyAgain();
    await until(() => /read-only/.test(evidence().problem ?? ''), 'it has them now');
    await servers.promote();
    await replica.query("UPDATE product SET name = 'later' WHERE id = 500003");
    await settled(promoted(), evidence);
    expect(await differences()).toEqual([]);
  });
});
