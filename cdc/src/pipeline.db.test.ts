import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { controlSchemaOf, type Database } from './connect.js';
import type { MigrationSync } from './migration-sync.js';
import { STOP_POINT_NAMES, type StopPointName } from './stop-points.js';
import { engineOf, seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop, shopData, writeAtRandom } from './testing/shop.js';

let shop: Shop;
const running: MigrationSync[] = [];
const start = (options?: Parameters<Shop['sync']>[0]): MigrationSync => {
  const sync = shop.sync(options);
  running.push(sync);
  void sync.wish('run');
  return sync;
};
const evidence = (sync: MigrationSync) => sync.evidence(Date.now());

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  await shop.drop();
});

/** Stop points that hold at `name` the `at`-th time, once. */
function holdAt(name: StopPointName, at = 1) {
  let arrive: () => void = () => {};
  let release: () => void = () => {};
  const arrived = new Promise<void>((done) => (arrive = done));
  const released = new Promise<void>((done) => (release = done));
  let count = 0;
  return {
    arrived,
    release,
    stopPoints: async (point: StopPointName) => {
      if (point !== name || ++count !== at) return;
      arrive();
      await released;
    },
  };
}

describe('a backfill', () => {
  it('copies what is there, then follows what changes', async () => {
    await shop.fill(90);
    const sync = start();
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(evidence(sync)).toMatchObject({
      problem: null,
      backfill: {
        tables: [
          { table: 'product', copied: 90, total: 90, done: true },
          { table: 'stock', copied: 180, total: 180, done: true },
        ],
      },
    });
    await shop.from.root.query(
      "UPDATE product SET price = 99.99, tags = 'z' WHERE id = 5; DELETE FROM stock WHERE product_id = 6",
    );
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('of empty tables is done at once', async () => {
    const sync = start();
    await settled(shop, () => evidence(sync));
    expect(evidence(sync).backfill.tables.every(({ done }) => done)).toBe(true);
  });

  // Row 25 is in the second chunk of 20.
  const changes: Readonly<Record<string, string>> = {
    'a row that is updated': "UPDATE product SET name = 'newer', tags = 't' WHERE id = 25",
    'a row that is deleted': 'DELETE FROM product WHERE id = 25',
    'a row that is added': "INSERT INTO product (id, sku, name) VALUES (1000, 'added', 'added')",
    'a row that gets another key behind': 'UPDATE product SET id = 1000 WHERE id = 25',
    'a row that gets another key before':
      'DELETE FROM product WHERE id = 3; UPDATE product SET id = 3 WHERE id = 25',
    'a unique value that goes to another row':
      "UPDATE product SET sku = NULL WHERE id = 25; UPDATE product SET sku = 'sku-25' WHERE id = 26",
    'a unique value that goes to a row that was copied':
      "UPDATE product SET sku = NULL WHERE id = 25; UPDATE product SET sku = 'sku-25' WHERE id = 2",
    'a row that is deleted and comes again':
      "DELETE FROM product WHERE id = 25; INSERT INTO product (id, sku, name) VALUES (25, 'sku-25', 'again')",
    'a row that is written twice':
      "UPDATE product SET name = 'one' WHERE id = 25; UPDATE product SET name = 'two' WHERE id = 25",
  };
  for (const point of ['after-low-watermark', 'chunk-read'] as const)
    for (const [what, sql] of Object.entries(changes))
      it(`with ${what} at "${point}" ends equal`, async () => {
        await shop.fill(60);
        const hold = holdAt(point, 2);
        const sync = start({ stopPoints: hold.stopPoints });
        await hold.arrived;
        await shop.from.root.query(sql);
        // The change is applied before the chunk that may hold the old row.
        await until(() => evidence(sync).applied.rows > 20, 'the change is applied').catch(() => {});
        hold.release();
        await settled(shop, () => evidence(sync));
        expect(await shop.differences()).toEqual([]);
      });

  it('holds no lock on the source while a chunk is read and applied', async () => {
    await shop.fill(60);
    const hold = holdAt('before-commit', 2);
    const sync = start({ stopPoints: hold.stopPoints });
    await hold.arrived;
    const writer = await shop.writer();
    await writer.query('SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1');
    await writer.query(
      "UPDATE product SET name = 'free'; UPDATE stock SET quantity = 0; ALTER TABLE product ADD COLUMN late INT",
    );
    hold.release();
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('with writers all the while ends equal', async () => {
    const seed = Date.now() % 1e9;
    await shop.fill(400);
    let isEnded = false;
    const writers = [1, 2, 3].map(async (number) =>
      writeAtRandom(await shop.writer(), seeded(seed + number), () => isEnded, 40),
    );
    const sync = start({ data: shopData(50) });
    await until(
      () => evidence(sync).state === 'tailing' && evidence(sync).applied.transactions > 300,
      `tailing under load, seed ${seed}`,
      50_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(evidence(sync))}`);
    });
    isEnded = true;
    await Promise.all(writers);
    await settled(shop, () => evidence(sync));
    expect({ seed, differences: await shop.differences() }).toEqual({ seed, differences: [] });
  });

  it('begins only with empty targets', async () => {
    await shop.to.root.query('INSERT INTO item (id) VALUES (1)');
    const sync = start();
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    expect(evidence(sync).problem).toBe(
      'table "item" already holds rows that were not copied by this migration: empty it, then restart',
    );
    const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT COUNT(*) n FROM item');
    expect(rows[0]?.['n']).toBe(1);
  });
});

describe('a sync that is ended and started again', () => {
  for (const point of STOP_POINT_NAMES)
    it(`at "${point}" goes on without loss and without doing anything twice`, async () => {
      await shop.fill(60);
      await shop.to.root.query(
        'CREATE TABLE written (id INT); CREATE TRIGGER count_inserts AFTER INSERT ON item FOR EACH ROW INSERT INTO written VALUES (NEW.id)',
      );
      for (const at of [1, 3]) {
        const hold = holdAt(point, at);
        const sync = start({ stopPoints: hold.stopPoints });
        await Promise.race([hold.arrived, until(() => evidence(sync).state === 'tailing', 'tailing')]);
        await shop.from.root.query(`INSERT INTO product (sku, name) VALUES ('${point}${at}', 'meanwhile')`);
        const stopped = sync.stop();
        hold.release();
        await stopped;
      }
      const sync = start();
      await settled(shop, () => evidence(sync));
      expect(await shop.differences()).toEqual([]);
      const [twice] = await shop.to.root.query<RowDataPacket[]>(
        'SELECT id FROM written GROUP BY id HAVING COUNT(*) > 1',
      );
      expect(twice).toEqual([]);
      expect(evidence(sync).backfill.tables[0]).toMatchObject({ copied: expect.any(Number), done: true });
    });

  it('goes on from the last chunk, not from the beginning', async () => {
    await shop.fill(100);
    const hold = holdAt('after-low-watermark', 4);
    const first = start({ stopPoints: hold.stopPoints });
    await hold.arrived;
    const stopped = first.stop();
    hold.release();
    await stopped;
    const seen: number[] = [];
    const second = start({ stopPoints: async (point) => void (point === 'chunk-read' && seen.push(1)) });
    expect(evidence(first).backfill.tables[0]).toMatchObject({ copied: 60 });
    await settled(shop, () => evidence(second));
    expect(await shop.differences()).toEqual([]);
    // 60 of 100 products were copied: 2 chunks and an empty one are left, and 11 of the stock.
    expect(seen).toHaveLength(3 + 11);
  });

  it('survives the loss of every connection it has', async () => {
    await shop.fill(200);
    const sync = start();
    const hit = async () => {
      const [threads] = await shop.from.root.query<RowDataPacket[]>(
        'SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID() AND (db LIKE ? OR db LIKE ?)',
        [shop.from.schema, shop.to.schema],
      );
      const mine = new Set([
        (await shop.to.root.query<RowDataPacket[]>('SELECT CONNECTION_ID() id'))[0][0]?.['id'],
      ]);
      for (const { id } of threads)
        if (!mine.has(id)) await shop.from.root.query(`KILL ${String(id)}`).catch(() => {});
    };
    for (let round = 0; round < 4; round++) {
      await new Promise((done) => setTimeout(done, 150));
      await hit();
      await shop.from.root.query(`UPDATE product SET name = 'round ${round}' WHERE id < 150`);
    }
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(evidence(sync).problem).toBeNull();
  });
});

describe('an owner that was replaced', () => {
  it('writes nothing more and says why', async () => {
    await shop.fill(30);
    const hold = holdAt('chunk-read', 2);
    const zombie = start({ stopPoints: hold.stopPoints });
    await hold.arrived;
    const owner = start();
    await settled(shop, () => evidence(owner));
    await shop.to.root.query("UPDATE item SET own = 'by the owner'");
    hold.release();
    await shop.from.root.query("UPDATE product SET name = 'after' WHERE id = 1");
    await until(() => evidence(zombie).state === 'stopped', 'the zombie stops');
    expect(evidence(zombie).problem).toBe(
      'migration "catalog" is now synced by another process: end that one, then restart this one',
    );
    await settled(shop, () => evidence(owner));
    expect(await shop.differences()).toEqual([]);
  });

  it('cannot commit a transaction that was open while it was replaced', async () => {
    await shop.fill(5);
    const first = start();
    await settled(shop, () => evidence(first));
    await first.stop();
    const hold = holdAt('before-commit');
    const zombie = start({ stopPoints: hold.stopPoints });
    await hold.arrived;
    // Its row lock makes the takeover wait: whoever comes first wins, never both.
    const owner = start();
    await new Promise((done) => setTimeout(done, 200));
    hold.release();
    await until(
      () => evidence(zombie).state === 'stopped' || evidence(owner).state === 'tailing',
      'one of the two',
    );
    await settled(shop, () => evidence(owner));
    await until(() => evidence(zombie).state === 'stopped', 'the zombie stops');
    expect(await shop.differences()).toEqual([]);
  });
});

describe('a row the target cannot take, where nothing may be parked', () => {
  const problemAfter = async (sql: string): Promise<string | null> => {
    await shop.fill(5);
    const sync = start({ maxParkedKeys: 0 });
    await settled(shop, () => evidence(sync));
    await shop.from.root.query(sql);
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    return evidence(sync).problem;
  };

  it('stops the flow with table, key and column, and what came before it is there', async () => {
    await shop.to.root.query('ALTER TABLE item MODIFY title VARCHAR(10)');
    const problem = await problemAfter(
      "UPDATE product SET name = 'short' WHERE id = 1; UPDATE product SET name = 'much too long for it' WHERE id = 2",
    );
    expect(problem).toMatch(
      /^row "2" of table "item" was refused by the target \(Data too long for column 'title'/,
    );
    await shop.to.root.query('ALTER TABLE item MODIFY title VARCHAR(100)');
    const again = start();
    await settled(shop, () => evidence(again));
    expect(await shop.differences()).toEqual([]);
  });

  it('is named also in the middle of many', async () => {
    await shop.to.root.query('ALTER TABLE item ADD CONSTRAINT dear CHECK (price_minor < 100000)');
    const many = Array.from({ length: 300 }, (_, index) => `(${1000 + index}, ${index === 177 ? 2000 : 1})`);
    const problem = await problemAfter(`INSERT INTO product (id, price) VALUES ${many.join(', ')}`);
    expect(problem).toMatch(/^row "1177" of table "item" was refused by the target/);
  });

  it('because its time never was is named by its source', async () => {
    const problem = await problemAfter("UPDATE product SET added = '2024-03-31 02:30:00' WHERE id = 3");
    expect(problem).toMatch(
      /^row "3" of table "product" cannot be mapped: column "added" holds "2024-03-31 02:30:00", which was skipped in "Europe\/Berlin"/,
    );
  });
});

describe('columns of the target that are not mapped', () => {
  it('survive updates and a change of the key', async () => {
    await shop.fill(5);
    const sync = start();
    await settled(shop, () => evidence(sync));
    await shop.to.root.query("UPDATE item SET own = CONCAT('own ', id)");
    await shop.from.root.query(
      "UPDATE product SET name = 'changed' WHERE id = 1; UPDATE product SET id = 77 WHERE id = 2",
    );
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT id, own FROM item ORDER BY id');
    expect(rows.map((row) => `${String(row['id'])}: ${String(row['own'])}`)).toEqual([
      '1: own 1',
      '3: own 3',
      '4: own 4',
      '5: own 5',
      '77: own 2',
    ]);
  });
});

describe('statements that change a captured table', () => {
  const after = async (sql: string) => {
    await shop.fill(10);
    const sync = start();
    await settled(shop, () => evidence(sync));
    await shop.from.root.query(sql);
    return sync;
  };

  it.each([
    ["ALTER TABLE product ADD COLUMN extra INT FIRST; UPDATE product SET extra = 7, name = 'x' WHERE id = 1"],
    ["ALTER TABLE product DROP COLUMN note; UPDATE product SET name = 'y' WHERE id = 2"],
    [
      "ALTER TABLE product MODIFY COLUMN name VARCHAR(150) CHARACTER SET utf8mb4 AFTER tags; UPDATE product SET name = 'zß' WHERE id = 3",
    ],
    [
      "UPDATE product SET name = 'before' WHERE id = 1; ALTER TABLE product ADD COLUMN e INT AFTER id; UPDATE product SET name = 'between' WHERE id = 2; CREATE INDEX by_name ON product (name); UPDATE product SET name = 'behind' WHERE id = 3",
    ],
    [
      "ALTER TABLE product RENAME COLUMN note TO remark; INSERT INTO product (id, name, remark) VALUES (99, 'n', 'r')",
    ],
    ["OPTIMIZE TABLE product; ANALYZE TABLE product; INSERT INTO product (id, name) VALUES (98, 'n')"],
  ])('is followed: %s', async (sql) => {
    const sync = await after(sql);
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(evidence(sync).problem).toBeNull();
  });

  it.each([
    ['TRUNCATE TABLE stock', '', 'table "stock" was changed by "TRUNCATE TABLE stock"'],
    ['DROP TABLE stock', '', 'was changed by "DROP TABLE'],
    ['RENAME TABLE stock TO stock_old', '', 'was changed by "RENAME TABLE'],
    [
      'ALTER TABLE product DROP COLUMN name',
      '',
      'column "name" of table "product", which the mapping reads, is gone',
    ],
    [
      'ALTER TABLE product RENAME COLUMN name TO label',
      '',
      'column "name" of table "product", which the mapping reads, is gone',
    ],
    [
      'ALTER TABLE product MODIFY price DECIMAL(10,1)',
      '',
      'column "price" of table "product" was changed from "decimal(10,2)" to "decimal(10,1)"',
    ],
    ["SET STATEMENT binlog_format = 'STATEMENT' FOR UPDATE product SET name = 'x'", '', 'UPDATE product'],
  ])('stops the flow: %s', async (sql, _kind, problem) => {
    // MySQL has no statement with settings of its own.
    const isForeign = sql.startsWith('SET STATEMENT') && (await engineOf(shop.from.root)) === 'mysql';
    const sync = await after(
      isForeign ? "SET binlog_format = 'STATEMENT'; UPDATE product SET name = 'x'" : sql,
    );
    await until(() => evidence(sync).state === 'stopped', 'stopped');
    expect(evidence(sync).problem?.toLowerCase()).toContain(problem.toLowerCase());
    expect(evidence(sync).problem).toContain('roll the migration back to "legacy"');
  });

  it('empties the target where the plan says so, also while rows are copied', async () => {
    await shop.fill(60);
    const hold = holdAt('chunk-read', 2);
    const sync = start({ data: { ...shopData(20), truncate: 'delete' }, stopPoints: hold.stopPoints });
    await hold.arrived;
    await shop.from.root.query(
      "TRUNCATE product; INSERT INTO product (id, name, tags) VALUES (7, 'first again', 'a,b')",
    );
    hold.release();
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    await shop.from.root.query('TRUNCATE TABLE stock');
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('is followed with the columns of the time when it is read only after a restart', async () => {
    const sync = await after("UPDATE product SET name = 'one' WHERE id = 1");
    await settled(shop, () => evidence(sync));
    await sync.stop();
    await shop.from.root.query(
      "UPDATE product SET note = 'n', name = 'two' WHERE id = 2; ALTER TABLE product DROP COLUMN note, ADD COLUMN first_of_all VARCHAR(9) FIRST; UPDATE product SET name = 'three' WHERE id = 3",
    );
    const again = start();
    await settled(shop, () => evidence(again));
    expect(await shop.differences()).toEqual([]);
  });

  it('twice while nobody looked is not guessed', async () => {
    const sync = await after("UPDATE product SET name = 'one' WHERE id = 1");
    await settled(shop, () => evidence(sync));
    await sync.stop();
    await shop.from.root.query(
      "ALTER TABLE product ADD COLUMN a INT FIRST; UPDATE product SET name = 'two' WHERE id = 2; ALTER TABLE product ADD COLUMN b INT FIRST; UPDATE product SET name = 'three' WHERE id = 3",
    );
    const again = start();
    await until(() => evidence(again).state === 'stopped', 'stopped');
    expect(evidence(again).problem).toContain('was altered again before the first change could be followed');
  });
});

describe('an account', () => {
  it('with just the privileges that the preflight asks for is enough', async () => {
    await shop.fill(30);
    const account = `'least${Math.floor(performance.now())}'@'127.0.0.1'`;
    await shop.from.root.query(`
      CREATE USER ${account} IDENTIFIED BY 'pw';
      GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account};
      GRANT SELECT ON ${shop.from.schema}.product TO ${account};
      GRANT SELECT ON ${shop.from.schema}.stock TO ${account};
      GRANT CREATE, SELECT, INSERT, UPDATE ON ${controlSchemaOf(shop.from)}.* TO ${account};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${shop.to.schema}.* TO ${account};
      GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON ${controlSchemaOf(shop.to)}.* TO ${account}`);
    const as = ({ name, schema, url }: Database): Database => {
      const other = new URL(url);
      other.username = account.slice(1, account.indexOf("'", 1));
      other.password = 'pw';
      return { name, schema, url: other.href };
    };
    const sync = start({ from: as(shop.from), to: as(shop.to) });
    await settled(shop, () => evidence(sync));
    await shop.from.root.query(
      "UPDATE product SET name = 'least'; ALTER TABLE product ADD COLUMN x INT; DELETE FROM stock WHERE product_id < 5",
    );
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
    expect(await sync.verify()).toMatchObject({ clean: true });
    await sync.wish('drop');
    await until(() => evidence(sync).state === 'idle', 'idle');
    expect(evidence(sync).problem).toBeNull();
    await shop.from.root.query(`DROP USER ${account}`);
  });
});

describe('going back to legacy', () => {
  const counts = async () => {
    const [rows] = await shop.to.root.query<RowDataPacket[]>(
      `SELECT (SELECT COUNT(*) FROM item) + (SELECT COUNT(*) FROM item_tag) + (SELECT COUNT(*) FROM item_stock) copied,
              (SELECT COUNT(*) FROM ${controlSchemaOf(shop.to)}.apply_offset) + (SELECT COUNT(*) FROM ${controlSchemaOf(shop.to)}.backfill_progress) + (SELECT COUNT(*) FROM ${controlSchemaOf(shop.to)}.captured_columns) control`,
    );
    return rows[0];
  };

  it('drops what was copied, and advancing again copies it anew', async () => {
    await shop.fill(50);
    const sync = start();
    await settled(shop, () => evidence(sync));
    await sync.wish('drop');
    await until(() => evidence(sync).state === 'idle', 'idle');
    expect(await counts()).toEqual({ copied: 0, control: 0 });
    expect(evidence(sync)).toMatchObject({
      offset: null,
      lagMs: null,
      applied: { transactions: 0, rows: 0 },
    });
    await shop.from.root.query('DELETE FROM product WHERE id = 7');
    await sync.wish('run');
    await settled(shop, () => evidence(sync));
    expect(await shop.differences()).toEqual([]);
  });

  it('that was broken off is ended before anything is copied again', async () => {
    await shop.fill(50);
    const sync = start();
    await settled(shop, () => evidence(sync));
    await sync.stop();
    await shop.to.root.query(
      `UPDATE ${controlSchemaOf(shop.to)}.apply_offset SET dropping = 1; DELETE FROM item_tag WHERE item_id < 20`,
    );
    const again = start();
    await settled(shop, () => evidence(again));
    expect(await shop.differences()).toEqual([]);
  });

  it('leaves rows alone that were never copied', async () => {
    await shop.to.root.query('INSERT INTO item (id) VALUES (1)');
    const sync = shop.sync();
    running.push(sync);
    await sync.wish('drop');
    await until(() => evidence(sync).state === 'idle', 'idle');
    const [rows] = await shop.to.root.query<RowDataPacket[]>('SELECT COUNT(*) n FROM item');
    expect(rows[0]?.['n']).toBe(1);
  });
});

describe('lag', () => {
  it('is measured from heartbeats, and grows while the target is held', async () => {
    const hold = holdAt('before-commit', 6);
    const sync = start({ stopPoints: hold.stopPoints, data: shopData(1_000) });
    await hold.arrived;
    await until(() => (evidence(sync).lagMs ?? 0) > 1_200, 'the lag grows');
    hold.release();
    await until(() => (evidence(sync).lagMs ?? Infinity) < 400, 'the lag shrinks');
    expect(evidence(sync).lagMsP99).toBeGreaterThan(1_000);
  });
});
