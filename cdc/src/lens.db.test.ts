import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MigrationData, type Row, type TableMapping, tableMappingSchema } from '@strangler/contracts';
import * as fc from 'fast-check';
import type { MigrationSync, MigrationSyncOptions } from './migration-sync.js';
import { reversedData } from './reversed-data.js';
import { type ScratchDatabase, scratchDatabase, seeded, until } from './testing/databases.js';
import { rowsOf, RULES, tableOf, tablesOf } from './testing/lens-columns.js';
import { caughtUp, createTable, insertAll, rowsIn, syncBetween } from './testing/lens-sync.js';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let [legacy, service, other]: Scratch[] = [];
const running: MigrationSync[] = [];
beforeEach(async () => {
  [legacy, service, other] = [
    await scratchDatabase('legacy'),
    await scratchDatabase('service'),
    await scratchDatabase('other'),
  ];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  for (const database of [legacy, service, other]) await database?.drop();
});

const dataOf = (...tables: TableMapping[]): MigrationData => ({
  from: 'legacy',
  to: 'service',
  chunkRows: 7,
  tables,
});
function start(
  ends: Parameters<typeof syncBetween>[0],
  options: Partial<MigrationSyncOptions> = {},
): MigrationSync {
  const sync = syncBetween(ends, options);
  running.push(sync);
  void sync.wish('run');
  return sync;
}
const bare = (rows: readonly Row[]) => rows.map((row) => ({ ...row }));

describe('a mapping of every rule, there and back', () => {
  it.each(RULES.map((each) => [each.name, each] as const))(
    'finds every row again: %s',
    async (name, each) => {
      const [from, to, back] = [legacy, service, other] as [Scratch, Scratch, Scratch];
      const { mapping, source, target } = tablesOf([each]);
      const [copied, logged] = [1, 2].map((seed) =>
        fc.sample(rowsOf([each], 'kept', 'id'), { seed: seed * 7919 + name.length, numRuns: 5 }).flat(),
      ) as [Row[], Row[]];
      const numbered = (rows: readonly Row[], first: number) =>
        rows.map((row, index) => ({ ...row, id: String(first + index) }));
      const here = await createTable(from, source);
      await createTable(to, target);
      await createTable(back, source);
      await insertAll(from, here, numbered(copied, 1));
      const there = start({ name: 'catalog', from, to, data: dataOf(mapping) });
      await caughtUp(there, from);
      await insertAll(from, here, numbered(logged, 1_000));
      await from.root.query(
        'UPDATE legacy SET id = id + 500 WHERE id < 3; DELETE FROM legacy WHERE id = 1001',
      );
      await caughtUp(there, from);
      expect(there.parked()).toEqual([]);

      const again = start({ name: 'catalog-back', from: to, to: back, data: reversedData(dataOf(mapping)) });
      await caughtUp(again, to);
      await insertAll(from, here, numbered(logged, 2_000));
      await from.root.query('DELETE FROM legacy WHERE id = 3');
      await caughtUp(there, from);
      await caughtUp(again, to);
      expect(again.parked()).toEqual([]);
      expect(bare(await rowsIn(back, source))).toEqual(bare(await rowsIn(from, source)));
      expect(await again.verify()).toMatchObject({ clean: true, driftRows: 0 });
    },
  );

  it('parks what has no way back, with a sentence, and repairs it when it has one', async () => {
    const [from, to] = [legacy, service] as [Scratch, Scratch];
    const mapping = tableMappingSchema.parse({
      from: 'product',
      to: 'item',
      key: { id: 'id' },
      columns: { currency: { constant: 'EUR' }, title: 'name' },
    });
    await createTable(from, tableOf('item', { id: 'int', currency: 'char(3)', title: 'varchar(20)' }));
    await createTable(to, tableOf('product', { id: 'int', name: 'varchar(20)' }));
    await from.root.query("INSERT INTO item VALUES (1, 'EUR', 'a'), (2, 'USD', 'b')");
    const back = start({ name: 'back', from, to, data: reversedData(dataOf(mapping)) });
    await caughtUp(back, from);
    expect(back.parked()).toMatchObject([
      {
        key: 'product:2',
        problem:
          'row "2" of table "item" cannot be mapped: column "currency" holds "USD", which has no way back: on the way there it would become "EUR"',
      },
    ]);
    await from.root.query("UPDATE item SET currency = 'EUR' WHERE id = 2");
    await caughtUp(back, from);
    await back.settleParked({});
    const [rows] = await to.root.query('SELECT * FROM product ORDER BY id');
    expect(rows).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ]);
  });
});

describe('two streams by one mapping', () => {
  it('keep both sides equal, leave alone what one side owns, and fill in what a filter says', async () => {
    const [from, to] = [legacy, service] as [Scratch, Scratch];
    await from.root.query(
      "CREATE TABLE person (id INT PRIMARY KEY, kind VARCHAR(10) NOT NULL, first VARCHAR(20), last VARCHAR(20), vip CHAR(1), tier VARCHAR(9), note VARCHAR(20) DEFAULT 'legacy')",
    );
    await to.root.query(
      "CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(50), vip BOOLEAN, tier VARCHAR(9), own VARCHAR(9) NOT NULL DEFAULT 'own', seen VARCHAR(20))",
    );
    const mapping = tableMappingSchema.parse({
      from: 'person',
      to: 'customer',
      key: { id: 'id' },
      where: { kind: 'customer' },
      columns: {
        name: { join: ['first', 'last'] },
        vip: { type: 'vip', as: 'boolean', format: 'Y/N' },
        tier: 'tier',
        seen: 'note',
      },
      owned: { source: ['note'], target: ['tier', 'own'] },
    });
    await from.root.query(
      "INSERT INTO person VALUES (1, 'customer', 'Ann', 'Lee', 'Y', 'old', 'a'), (2, 'supplier', 'Bob', 'Ray', 'N', NULL, 'b')",
    );
    const data = dataOf(mapping);
    const there = start({ name: 'there', from, to, data }, { echoesOf: 'back' });
    await caughtUp(there, from);
    const back = start(
      { name: 'back', from: to, to: from, data: reversedData(data) },
      { echoesOf: 'there', beginsEqual: true },
    );
    await until(() => back.evidence(Date.now()).state === 'tailing', 'tailing');
    await to.root.query(
      "INSERT INTO customer VALUES (3, 'Cy Van Dam', 0, 'gold', 'x', 'never back'); UPDATE customer SET tier = 'new', vip = 0, seen = 'not back' WHERE id = 1",
    );
    await caughtUp(back, to);
    await from.root.query("UPDATE person SET last = 'Fox', tier = 'not there' WHERE id = 1");
    await caughtUp(there, from);
    expect((await from.root.query('SELECT * FROM person ORDER BY id'))[0]).toMatchObject([
      { id: 1, kind: 'customer', first: 'Ann', last: 'Fox', vip: 'N', tier: 'not there', note: 'a' },
      { id: 2, kind: 'supplier', first: 'Bob' },
      { id: 3, kind: 'customer', first: 'Cy', last: 'Van Dam', vip: 'N', tier: 'gold', note: 'legacy' },
    ]);
    expect((await to.root.query('SELECT * FROM customer ORDER BY id'))[0]).toMatchObject([
      { id: 1, name: 'Ann Fox', vip: 0, tier: 'new', own: 'own', seen: 'a' },
      { id: 3, name: 'Cy Van Dam', tier: 'gold' },
    ]);
    const { tables } = await there.verify();
    expect(tables).toMatchObject([{ sourceRows: 2, targetRows: 2, missing: 0, extra: 0, different: 1 }]);
  });
});

describe('two migrations from one table, by filters', () => {
  it('share its rows, also those that go from one to the other, under any writes', async () => {
    const [from, customers, suppliers] = [legacy, service, other] as [Scratch, Scratch, Scratch];
    const person = tableOf('person', {
      id: 'int',
      kind: "enum('customer','supplier','both')",
      name: 'varchar(20)',
    });
    await createTable(from, person);
    const targetOf = (name: string) => tableOf(name, { id: 'int', name: 'varchar(20)' });
    const data = (to: string, where: object): MigrationData =>
      dataOf(
        tableMappingSchema.parse({ from: 'person', to, key: { id: 'id' }, columns: { name: 'name' }, where }),
      );
    const both = [
      { name: 'customers', to: customers, data: data('customer', { kind: 'customer' }) },
      { name: 'suppliers', to: suppliers, data: data('supplier', { kind: { not: 'customer' } }) },
    ];
    await createTable(customers, targetOf('customer'));
    await createTable(suppliers, targetOf('supplier'));
    const random = seeded(11);
    const pick = (count: number) => Math.floor(random() * count);
    const kind = () => ["'customer'", "'supplier'", "'both'", 'NULL'][pick(4)];
    const write = async (count: number) => {
      for (let each = 0; each < count; each++) {
        const id = pick(60);
        const statements = [
          `INSERT IGNORE INTO person VALUES (${id}, ${kind()}, 'n${each}')`,
          `UPDATE person SET kind = ${kind()} WHERE id BETWEEN ${id} AND ${id + 9}`,
          `UPDATE person SET name = 'u${each}' WHERE id = ${id}`,
          `UPDATE IGNORE person SET id = ${pick(60)}, kind = ${kind()} WHERE id = ${id}`,
          `DELETE FROM person WHERE id = ${id}`,
          `REPLACE INTO person VALUES (${id}, ${kind()}, 'r${each}')`,
        ];
        await from.root.query(statements[pick(statements.length)] ?? '');
      }
    };
    await write(300);
    const syncs = both.map(({ name, to, data: each }) => start({ name, from, to, data: each }));
    await write(300);
    const isRight = async () => {
      for (const sync of syncs) await caughtUp(sync, from);
      for (const [to, where] of [
        [customers, "kind = 'customer'"],
        [suppliers, "kind <> 'customer' OR kind IS NULL"],
      ] as const) {
        const [wanted] = await from.root.query(`SELECT id, name FROM person WHERE ${where} ORDER BY id`);
        const [found] = await to.root.query(
          `SELECT * FROM ${to === customers ? 'customer' : 'supplier'} ORDER BY id`,
        );
        expect(found).toEqual(wanted);
      }
    };
    await isRight();
    expect(await syncs[0]?.verify()).toMatchObject({ clean: true });

    // What has no right to be there is drift, and a recopy takes it away.
    const [[outside]] = (await from.root.query(
      "SELECT id FROM person WHERE kind = 'supplier' LIMIT 1",
    )) as unknown as [{ id: number }[]];
    await customers.root.query(`INSERT INTO customer VALUES (${outside?.id ?? 0}, 'stray')`);
    expect((await syncs[0]?.verify())?.tables).toMatchObject([{ extra: 1, missing: 0, different: 0 }]);
    await syncs[0]?.recopy({ table: 'person' });
    await until(
      () => typeof syncs[0]?.evidence(Date.now()).recopies?.[0]?.finishedAt === 'string',
      'copied again',
    );
    await write(100);
    await isRight();
    expect(await syncs[0]?.verify()).toMatchObject({ clean: true });
    expect(await syncs[1]?.verify()).toMatchObject({ clean: true });
  });
});
