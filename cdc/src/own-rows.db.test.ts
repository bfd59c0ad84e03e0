import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2';
import type { MigrationSync } from './migration-sync.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;
const evidence = () => sync.evidence(Date.now());

const mapping = (from: string) =>
  tableMappingSchema.parse({
    from,
    to: 'party',
    key: { id: 'id' },
    discriminator: { kind: from },
    columns: { name: 'name' },
  });
const data: MigrationData = {
  from: 'legacy',
  to: 'service',
  chunkRows: 3,
  truncate: 'delete',
  strayWrites: 'repair',
  tables: [mapping('person'), mapping('company')],
};

beforeEach(async () => {
  shop = await openShop();
  await shop.from.root.query(
    `CREATE TABLE person (id INT PRIMARY KEY, name VARCHAR(20)); CREATE TABLE company (id INT PRIMARY KEY, name VARCHAR(20));
     INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'); INSERT INTO company VALUES (2, 'B'), (3, 'C'), (9, 'I')`,
  );
  // A third kind is the service's own.
  await shop.to.root.query(
    `CREATE TABLE party (kind ENUM('person', 'company', 'robot'), id INT, name VARCHAR(20), PRIMARY KEY (kind, id)); INSERT INTO party VALUES ('robot', 1, 'own')`,
  );
  sync = shop.sync({ data });
  void sync.wish('run');
  await settled(shop, evidence);
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

const rows = async () => {
  const [found] = await shop.to.root.query<RowDataPacket[]>('SELECT * FROM party ORDER BY kind, id');
  return found.map((row) => `${String(row['kind'])} ${String(row['id'])} ${String(row['name'])}`);
};
const equal = async () => {
  const [found] = await shop.from.root.query<RowDataPacket[]>(
    "SELECT 'person' kind, id, name FROM person UNION ALL SELECT 'company', id, name FROM company ORDER BY kind DESC, id",
  );
  expect(await rows()).toEqual([
    ...found.map((row) => `${String(row['kind'])} ${String(row['id'])} ${String(row['name'])}`),
    'robot 1 own',
  ]);
};

it('several source tables share one of the target, and none touches rows of another, whatever its own do', async () => {
  await equal();
  await shop.from.root.query(
    `UPDATE person SET id = 9 WHERE id = 2; DELETE FROM company WHERE id = 3; INSERT INTO company VALUES (4, 'D'); UPDATE person SET name = 'x' WHERE id = 4`,
  );
  await settled(shop, evidence);
  await equal();
  expect(await sync.verify()).toMatchObject({
    clean: true,
    tables: [
      { from: 'person', targetRows: 4, compared: 4, extra: 0 },
      { from: 'company', targetRows: 3, compared: 3, extra: 0 },
    ],
  });
  await shop.from.root.query('TRUNCATE TABLE person');
  await settled(shop, evidence);
  await equal();
});

it('strays of each are mended by its own source, and a drop leaves the rows of others alone', async () => {
  await shop.to.root.query(
    "INSERT INTO party VALUES ('person', 50, 'stray'), ('robot', 2, 'own'); DELETE FROM party WHERE kind = 'company' AND id = 2; UPDATE party SET kind = 'company' WHERE kind = 'person' AND id = 4; DELETE FROM party WHERE kind = 'robot' AND id = 2",
  );
  await until(() => (evidence().strayWrites?.count ?? 0) >= 5, 'strays are seen');
  await until(async () => (await sync.verify()).clean, 'mended');
  await equal();
  await sync.recopy({ table: 'person' });
  await until(() => evidence().recopies?.[0]?.finishedAt !== null, 'copied again');
  await equal();
  await sync.wish('drop');
  await until(() => evidence().state === 'idle', 'dropped');
  expect(await rows()).toEqual(['robot 1 own']);
});

it('a parked key is that of its own source', async () => {
  await shop.to.root.query("ALTER TABLE party ADD CONSTRAINT fine CHECK (name <> 'bad')");
  await shop.from.root.query(
    "UPDATE company SET name = 'bad' WHERE id = 3; UPDATE person SET name = 'good' WHERE id = 3",
  );
  await settled(shop, evidence);
  expect(sync.parked().map(({ key }) => key)).toEqual(['party:3,company']);
  await shop.from.root.query("UPDATE company SET name = 'fine' WHERE id = 3");
  await settled(shop, evidence);
  await sync.settleParked({});
  expect(sync.parked()).toEqual([]);
  await equal();
});
