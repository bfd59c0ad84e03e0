import { type MigrationData, type MigrationSync as Evidence, tableMappingSchema } from '@strangler/contracts';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { flowClock } from '../flow-clock.js';
import { MigrationSync, type MigrationSyncOptions } from '../migration-sync.js';
import { isUpTo, positionOf } from '../binlog-offset.js';
import { logEnd } from '../log-end.js';
import { noStopPoints } from '../stop-points.js';
import { type ScratchDatabase, scratchDatabase, until } from './databases.js';

const SOURCE = `
  CREATE TABLE product (id INT PRIMARY KEY AUTO_INCREMENT, sku VARCHAR(40) NULL UNIQUE, name VARCHAR(100) CHARACTER SET latin1, price DECIMAL(10,2), tags VARCHAR(200), added DATETIME, note TEXT);
  CREATE TABLE stock (product_id INT, place VARCHAR(20), quantity INT, PRIMARY KEY (product_id, place));`;
const TARGET = `
  CREATE TABLE item (id INT PRIMARY KEY, sku VARCHAR(40) NULL UNIQUE, title VARCHAR(100), price_minor BIGINT, added_at DATETIME, own VARCHAR(20) NOT NULL DEFAULT 'kept');
  CREATE TABLE item_tag (item_id INT, position INT, tag VARCHAR(60), PRIMARY KEY (item_id, position), FOREIGN KEY (item_id) REFERENCES item (id));
  CREATE TABLE item_stock (place VARCHAR(20), item_id INT, quantity INT, PRIMARY KEY (item_id, place));`;

/** Two mapped tables with all that is hard about them: a split, money, local time, a unique column, a key of two columns. */
export const shopData = (chunkRows: number): MigrationData => ({
  from: 'legacy',
  to: 'service',
  chunkRows,
  tables: [
    tableMappingSchema.parse({
      from: 'product',
      to: 'item',
      key: { id: 'id' },
      columns: {
        sku: 'sku',
        title: 'name',
        price_minor: { minor: 'price', digits: 2 },
        added_at: { utc: 'added', zone: 'Europe/Berlin' },
      },
      split: [{ to: 'item_tag', column: 'tags', key: { item_id: 'id' }, item: 'tag', position: 'position' }],
    }),
    tableMappingSchema.parse({
      from: 'stock',
      to: 'item_stock',
      key: { item_id: 'product_id', place: 'place' },
      columns: { quantity: 'quantity' },
    }),
  ],
});

export type Shop = {
  readonly from: ScratchDatabase;
  readonly to: ScratchDatabase;
  readonly name: string;
  readonly log: readonly string[];
  /** A new connection to the monolith's database. */
  writer(): Promise<Connection>;
  sync(options?: Partial<MigrationSyncOptions>): MigrationSync;
  fill(rows: number): Promise<void>;
  /** Rows that the target lacks or has too many, found by SQL and plain code, not by what is tested. */
  differences(source?: Connection): Promise<readonly string[]>;
  drop(): Promise<void>;
};

export async function openShop(server?: string, targetServer = server): Promise<Shop> {
  const from = await scratchDatabase('legacy', server);
  const to = await scratchDatabase('service', targetServer);
  await from.root.query(SOURCE);
  await to.root.query(TARGET);
  const log: string[] = [];
  const open = new Set<Connection>();
  return {
    from,
    to,
    name: 'catalog',
    log,
    async writer() {
      const connection = await createConnection({ uri: from.url, multipleStatements: true });
      open.add(connection);
      return connection;
    },
    sync: (options = {}) =>
      new MigrationSync({
        name: 'catalog',
        from,
        to,
        data: shopData(20),
        log: pino(
          { level: 'info' },
          { write: (line: string) => void log.push((JSON.parse(line) as { msg: string }).msg) },
        ),
        clock: Date.now,
        flowClock: flowClock(),
        onAppliedUntil: () => {},
        random: Math.random,
        stopPoints: noStopPoints,
        ...options,
      }),
    async fill(rows) {
      for (let first = 1; first <= rows; first += 500) {
        const ids = Array.from({ length: Math.min(500, rows - first + 1) }, (_, index) => first + index);
        await from.root.query(
          `INSERT INTO product (id, sku, name, price, tags, added) VALUES ${ids.map((id) => `(${id}, 'sku-${id}', 'Lämp ${id}', ${id}.${String(id % 100).padStart(2, '0')}, 'a${id}, b,,c', '2024-0${(id % 9) + 1}-11 10:00:00')`).join(',')}`,
        );
        await from.root.query(
          `INSERT INTO stock VALUES ${ids.map((id) => `(${id}, 'North', ${id}), (${id}, 'süd', 1)`).join(',')}`,
        );
      }
    },
    async differences(source = from.root) {
      const [products] = await source.query<RowDataPacket[]>(
        'SELECT id, sku, name, CAST(price * 100 AS SIGNED) minor, tags, CONVERT_TZ(added, IF(added BETWEEN "2024-03-31 02" AND "2024-10-27 02", "+02:00", "+01:00"), "+00:00") added FROM product',
      );
      const [stock] = await source.query<RowDataPacket[]>('SELECT product_id, place, quantity FROM stock');
      const tags = products.flatMap((row) =>
        String(row['tags'] ?? '')
          .split(',')
          .map((tag) => tag.trim())
          .filter((tag) => tag !== '')
          .map((tag, index) => `tag ${String(row['id'])} ${index} ${tag}`),
      );
      const expected = [
        ...products.map(
          (row) => `item ${[row['id'], row['sku'], row['name'], row['minor'], row['added']].join(' ')}`,
        ),
        ...stock.map((row) => `stock ${[row['product_id'], row['place'], row['quantity']].join(' ')}`),
        ...tags,
      ];
      const [items] = await to.root.query<RowDataPacket[]>(
        'SELECT id, sku, title, price_minor, added_at FROM item',
      );
      const [stocks] = await to.root.query<RowDataPacket[]>(
        'SELECT item_id, place, quantity FROM item_stock',
      );
      const [found] = await to.root.query<RowDataPacket[]>('SELECT item_id, position, tag FROM item_tag');
      const actual = new Set([
        ...items.map((row) => `item ${Object.values(row).join(' ')}`),
        ...stocks.map((row) => `stock ${Object.values(row).join(' ')}`),
        ...found.map((row) => `tag ${Object.values(row).join(' ')}`),
      ]);
      const missing = expected.filter((row) => !actual.delete(row));
      return [...missing.map((row) => `missing: ${row}`), ...[...actual].map((row) => `extra: ${row}`)];
    },
    async drop() {
      for (const connection of open) connection.destroy();
      await from.drop();
      await to.drop();
    },
  };
}

/** Waits until what was written to the monolith's database before the call is in the service's. */
export async function settled(shop: Shop, evidence: () => Evidence, milliseconds = 50_000): Promise<void> {
  await until(() => evidence().state === 'tailing', 'tailing', milliseconds);

  const end = await logEnd(shop.from.root);
  await until(
    () => {
      const { offset } = evidence();
      return offset !== null && isUpTo(end, positionOf({ text: offset }));
    },
    'the offset of now',
    milliseconds,
  );
}

/** A writer rests so many times as long as its last transaction took: on a busy machine writers leave the applier the share that it has on an idle one. */
const REST = 3;

/** Writes at random, the way applications do, until told to end: single and many rows, keys that change, values that swap, rollbacks. */
export async function writeAtRandom(
  connection: Connection,
  random: () => number,
  isEnded: () => boolean,
  pauseMs = 0,
): Promise<number> {
  const pick = (limit: number) => Math.floor(random() * limit);
  let count = 0;
  for (; !isEnded(); count++) {
    const [id, other] = [1 + pick(400), 1 + pick(400)];
    const value = `${count}-${pick(1e9)}`;
    const steps = [
      `UPDATE product SET name = 'Nàme ${value}', price = ${pick(1e6)}.${10 + pick(90)}, tags = 'x${pick(5)}, y,z${pick(3)}' WHERE id = ${id}`,
      `UPDATE product SET price = price + 1 WHERE id BETWEEN ${id} AND ${id + 20}`,
      `INSERT INTO product (sku, name, price, tags) VALUES ('n-${value}', 'new', ${pick(1000)}, NULL), ('m-${value}', NULL, NULL, 'only')`,
      `DELETE FROM product WHERE id = ${id}`,
      `REPLACE INTO product (id, sku, name, tags) VALUES (${id}, 'r-${value}', 'replaced', 'r')`,
      `UPDATE IGNORE product SET id = ${id + 10_000 + pick(1e6)} WHERE id = ${other}`,
      `UPDATE IGNORE product SET id = ${id} WHERE id > 10000 LIMIT 1`,
      `SELECT sku INTO @a FROM product WHERE id = ${id}; SELECT sku INTO @b FROM product WHERE id = ${other}; UPDATE product SET sku = NULL WHERE id = ${id}; UPDATE product SET sku = IF(id = ${id}, @b, @a) WHERE id = ${other}; UPDATE IGNORE product SET sku = @b WHERE id = ${id}`,
      `INSERT INTO stock VALUES (${id}, 'p${pick(3)}', ${pick(100)}) ON DUPLICATE KEY UPDATE quantity = quantity + 1`,
      `UPDATE stock SET quantity = quantity - 1 WHERE product_id BETWEEN ${id} AND ${id + 5}`,
      `DELETE FROM stock WHERE product_id = ${id}`,
      `UPDATE IGNORE stock SET place = 'P${pick(3)}' WHERE product_id = ${id}`,
      `DELETE FROM product WHERE id = ${id}; INSERT INTO product (id, sku, name, price, tags) VALUES (${id}, 'again-${value}', 'again', 1.5, 'a,b')`,
    ];
    const chosen = Array.from({ length: 1 + pick(3) }, () => steps[pick(steps.length)]).join(';');
    const end = random() < 0.1 ? 'ROLLBACK' : 'COMMIT';
    const begun = performance.now();
    await connection
      .query(`START TRANSACTION; ${chosen}; ${end}`)
      .catch(async (error: { errno?: number }) => {
        // Two writers may meet in a deadlock, or an update meet a key that is there.
        if (![1213, 1205, 1062, 1172].includes(error.errno ?? 0)) throw error;
        await connection.query('ROLLBACK');
      });
    const rest = (performance.now() - begun) * REST + pauseMs * random();
    await new Promise((done) => setTimeout(done, rest));
  }
  return count;
}

/** As `settled`, for a source whose offsets say in their middle where they are in the log of the database. */
export async function settledBy(
  shop: Shop,
  what: string,
  evidence: () => Evidence,
  milliseconds = 90_000,
): Promise<void> {
  const [rows] = await shop.from.root.query<RowDataPacket[]>('SHOW MASTER STATUS');
  const [file, position] = [String(rows[0]?.['File']), Number(rows[0]?.['Position'])];
  await until(
    () => {
      const [, at = '', offset = '0'] = /@([^@:]+):(\d+):/.exec(evidence().offset ?? '') ?? [];
      return at > file || (at === file && Number(offset) >= position);
    },
    `the offset of now by ${what}`,
    milliseconds,
  );
}
