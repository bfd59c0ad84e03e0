import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { databaseOf, flowClock, MigrationSync, noStopPoints, reversedData } from '@strangler/cdc';
import { loadPlan, type MigrationData } from '@strangler/contracts';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { type Answer, type Client, createClient, type RequestOptions } from './client.js';
import { runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';
import { until } from './until.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';

/** What the seed has not: soft deletions by 0, the hour that comes twice, empty rows, a sum as large as the column takes. */
const ODD_ROWS = `
INSERT INTO orders (id, order_no, customer_id, status, total, street, city, zip, placed, deleted) VALUES
  (9001, 'B009001', 17, 'new', 99999999.99, '', 'Göteborg 😀', NULL, '2025-10-26 02:30:00', NULL),
  (9002, 'B009002', 17, 'done', 0.01, NULL, NULL, NULL, '2025-03-30 01:59:59', 0),
  (9003, 'B009003', 17, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (9004, NULL, 17, 'paid', -5.00, NULL, NULL, NULL, '1999-12-31 23:59:59', 1);
INSERT INTO order_line (order_id, product_id, name, qty, price, tax_pct) VALUES (9001, 1, 'Größe „L“ & €', 99, -0.05, 7.7), (9003, NULL, NULL, NULL, NULL, NULL);
INSERT INTO payment (order_id, method, amount, status, ref, created) VALUES (9001, 'prepaid', 0.00, 'failed', '', '2026-07-01 00:30:00'), (9003, NULL, NULL, NULL, NULL, NULL);
UPDATE stock SET on_hand = NULL, reserved = NULL, modified = NULL WHERE product_id = 9; UPDATE stock SET on_hand = -3 WHERE product_id = 10;
UPDATE stock SET on_hand = 500 WHERE product_id IN (1, 2, 3, 4); UPDATE product SET status = 'active', is_visible = 1, deleted_at = NULL WHERE id IN (1, 2, 3, 4);
`;

/** The tables of the migration as legacy has them. */
export const LEGACY_TABLES = {
  orders: 'SELECT * FROM orders ORDER BY id',
  order_line: 'SELECT * FROM order_line ORDER BY id',
  payment: 'SELECT * FROM payment ORDER BY id',
  stock: 'SELECT * FROM stock ORDER BY product_id',
  stock_reservation: 'SELECT * FROM stock_reservation ORDER BY id',
};

/** Somebody logged in at the shop, whom both sides know by the same cookies. */
export type Customer = {
  send(base: string, method: string, path: string, options?: RequestOptions): Promise<Answer>;
};

export type ShopWithOrders = {
  readonly shop: string;
  readonly service: string;
  rows(side: 'shop' | 'orders', sql: string): Promise<RowDataPacket[]>;
  customer(number: number): Promise<Customer>;
  admin(): Promise<Customer>;
  stranger(): Customer;
  /** The stream from the shop, or after a cutover the one back; the one that ran before is ended. */
  stream(way: 'there' | 'back'): Promise<MigrationSync>;
  close(): Promise<void>;
};

/** The shop, the orders service and their databases. */
export async function shopWithOrders(): Promise<ShopWithOrders> {
  const suffix = randomBytes(4).toString('hex');
  const names = { shop: `shop_${suffix}`, orders: `orders_${suffix}` };
  const urlOf = (database: string): string => new URL(`/${database}`, SERVER).href;
  const folder = await mkdtemp(join(tmpdir(), 'shop-with-orders-'));
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    SHOP_DATABASE_URL: urlOf(names.shop),
    SHOP_PORT: '0',
    SHOP_UPLOAD_DIR: join(folder, 'uploads'),
    ORDERS_DATABASE_URL: urlOf(names.orders),
    ORDERS_PORT: '0',
  };
  const release: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of release.splice(0).toReversed()) await step();
  };
  const run = async (script: string, args: readonly string[] = []) => {
    const { code, err } = await runCommand(join(ROOT, script), args, environment);
    if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${err}`);
  };
  const start = async (script: string, more: NodeJS.ProcessEnv = {}) => {
    const program: StartedProgram = await startProgram(
      join(ROOT, script),
      [],
      { ...environment, ...more },
      join(folder, 'log'),
    );
    release.push(() => program.stop());
    return String(program.ready['url']);
  };

  try {
    const connection: Connection = await createConnection({
      uri: SERVER,
      multipleStatements: true,
      dateStrings: true,
    });
    release.push(async () => {
      for (const name of Object.values(names))
        await connection.query(`DROP DATABASE IF EXISTS ${name}; DROP DATABASE IF EXISTS ${name}_strangler`);
      await connection.end();
    });
    await run('legacy-monolith/dist/seed.js', [
      '--products=120',
      '--customers=60',
      '--orders=300',
      '--reviews=10',
    ]);
    await run('extracted-services/orders/dist/migrate.js');
    await connection.query(`USE ${names.shop}; ${ODD_ROWS}`);
    const shop = await start('legacy-monolith/dist/main.js');
    const service = await start('extracted-services/orders/dist/main.js', { ORDERS_SHOP_URL: shop });
    const data = await plannedData();

    let running: MigrationSync | undefined;
    release.push(async () => running?.stop());
    const stranger = (): Customer => asClient(createClient(shop));
    const logIn = async (email: string, password: string): Promise<Customer> => {
      const client = createClient(shop);
      const { token } = (await client.send('GET', '/api/csrf')).json() as { token: string };
      const headers = { 'x-csrf-token': token };
      const answer = await client.send('POST', '/api/login', { json: { email, password }, headers });
      if (answer.status !== 200) throw new Error(`"${email}" cannot log in: ${answer.text}`);
      return asClient(client, (answer.json() as { csrf: string }).csrf);
    };
    return {
      shop,
      service,
      rows: async (side, sql) =>
        (await connection.query<RowDataPacket[][]>(`USE ${names[side]}; ${sql}`))[0][1] ?? [],
      customer: (number) => logIn(`customer${number}@shop.test`, `secret${number}`),
      admin: () => logIn('admin@shop.test', 'admin'),
      stranger,
      async stream(way) {
        await running?.stop();
        const ends = {
          legacy: databaseOf('legacy', urlOf(names.shop)),
          orders: databaseOf('orders', urlOf(names.orders)),
        };
        const [from, to] = way === 'there' ? [ends.legacy, ends.orders] : [ends.orders, ends.legacy];
        const sync = new MigrationSync({
          name: way === 'there' ? 'orders' : 'orders-back',
          from,
          to,
          data: way === 'there' ? data : reversedData(data),
          ...(way === 'back' && { beginsEqual: true }),
          log: pino({ level: 'silent' }),
          clock: Date.now,
          flowClock: flowClock(),
          onAppliedUntil: () => {},
          random: Math.random,
          stopPoints: noStopPoints,
        });
        running = sync;
        await sync.wish('run');
        await until(`the tail of the stream ${way}`, 60_000, () => {
          const { state, problem } = sync.evidence(Date.now());
          if (state === 'stopped') throw new Error(`the stream ${way} has stopped: ${problem}`);
          return Promise.resolve(state === 'tailing');
        });
        return sync;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Cookies as a browser has them; the token of the session goes with whatever changes something. */
const asClient = (client: Client, csrf?: string): Customer => ({
  async send(base, method, path, options = {}) {
    const here = createClient(base);
    for (const [name, value] of client.cookies) here.cookies.set(name, value);
    const token: Record<string, string> =
      csrf === undefined || method === 'GET' ? {} : { 'x-csrf-token': csrf };
    return here.send(method, path, { ...options, headers: { ...token, ...options.headers } });
  },
});

/** Whatever the plan wants to start a program with; the mapping says nothing of it. */
const ADDRESSES = {
  SHOP_PROXY_LISTEN: '127.0.0.1:0',
  SHOP_PROXY_ADMIN: '127.0.0.1:0',
  SHOP_SYNC_ADMIN: '127.0.0.1:0',
  SHOP_CONTROL_LISTEN: '127.0.0.1:0',
  SHOP_STATE_FILE: 'state.json',
  SHOP_FLAGS_FILE: 'flags.json',
  SHOP_URL: 'http://127.0.0.1:1',
  CATALOG_URL: 'http://127.0.0.1:2',
  ORDERS_URL: 'http://127.0.0.1:3',
  SHOP_DATABASE_URL: 'mysql://127.0.0.1:1/shop',
  CATALOG_DATABASE_URL: 'mysql://127.0.0.1:1/catalog',
  ORDERS_DATABASE_URL: 'mysql://127.0.0.1:1/orders',
  LEDGER_DATABASE_URL: 'mysql://127.0.0.1:1/ledger',
  STRANGLER_PROXY_TOKEN: 'a-token-of-the-proxy',
  STRANGLER_SYNC_TOKEN: 'a-token-of-the-sync',
  STRANGLER_CONTROL_TOKEN: 'a-token-of-the-control-plane',
  STRANGLER_SECRET: 'a secret of the test, long enough',
};

/** The mapping of the sample's plan, which needs none of its addresses for this. */
async function plannedData(): Promise<MigrationData> {
  const file = join(ROOT, 'migrations/plans/shop.yaml');
  const loaded = await loadPlan(file, ADDRESSES);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 2));
  const data = loaded.plan.migrations['orders']?.data;
  if (!data) throw new Error('the plan has no migration "orders" with data');
  return data;
}
