import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { get as httpGet } from 'node:http';
import type { Environment } from './environment.js';
import { migrate } from './schema/migrate.js';
import { startService, type Service } from './service.js';
import { FakeShop } from './shop/fake-shop.js';
import type { CartLine } from './shop/shop.js';
import { ordersDatabase, type OrdersDatabase } from './testing/orders-database.js';

const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';
const TABLES = ['customer_order', 'order_item', 'payment', 'stock_level', 'stock_reservation', 'cart_claim'];
/** Customer 1 has an order that was soft-deleted, and one whose columns are as empty as the shop's may be. */
const ROWS = `
INSERT INTO stock_level VALUES (1, 10, 0, '2026-07-01 22:30:00'), (2, 3, NULL, NULL), (3, NULL, NULL, NULL);
INSERT INTO customer_order VALUES
  (1, 'B000001', 1, 'completed', 3070, 'EUR', 'Am Markt 3', 'Köln', '50667', '2026-01-15 12:00:00', NULL),
  (2, 'B000002', 1, 'placed', 100, 'EUR', NULL, NULL, NULL, '2026-01-16 12:00:00', 1),
  (3, 'B000003', 1, NULL, NULL, 'EUR', NULL, NULL, NULL, NULL, NULL),
  (4, 'B000004', 1, 'shipped', 100, 'EUR', NULL, NULL, NULL, '2025-01-16 12:00:00', NULL);
INSERT INTO order_item VALUES (1, 1, 1, 'Kanne', 2, 1535, 77), (2, 3, NULL, NULL, NULL, NULL, NULL);
INSERT INTO payment VALUES (1, 1, 'card', 3070, 'captured', 'TX-1', '2026-01-15 12:00:00'), (2, 3, NULL, NULL, NULL, NULL, NULL);
`;

let database: OrdersDatabase;
let service: Service;
let shop: FakeShop;
let sessions = 0;
let cartItems = 0;

beforeAll(async () => {
  database = await ordersDatabase(SERVER);
  await migrate(database.url);
  shop = new FakeShop();
  const environment: Environment = {
    databaseUrl: database.url,
    host: '127.0.0.1',
    port: 0,
    timezone: 'Europe/Berlin',
    shopUrl: 'http://127.0.0.1:1',
  };
  service = await startService(environment, shop);
});
afterAll(async () => {
  await service?.close();
  await database.drop();
});
beforeEach(async () => {
  shop.products.clear();
  shop.keepsCarts = false;
  const emptied = TABLES.map((table) => `TRUNCATE ${table};`).join('');
  await database.query(`USE ${database.name}; ${emptied} ${ROWS}`);
});

interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
  readonly location: string | null;
}
interface Order {
  readonly order_no: string;
  readonly status: string;
  readonly total: string;
}

/** Somebody with a session at the shop, logged in when they are a customer. */
function person(customer?: { id: number; admin?: boolean }) {
  const sid = (++sessions).toString(16).padStart(64, '0');
  if (customer) shop.customers.set(sid, { id: customer.id, name: 'Ann Lee', admin: customer.admin ?? false });
  const headers = { cookie: `cust=1; shop_sid=${sid}`, 'x-csrf-token': `token of ${sid.slice(0, 4)}` };
  const send = async <T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<Answer<T>> => {
    const response = await fetch(service.url + path, {
      method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json', ...headers, ...more },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      body: (isJson ? JSON.parse(text) : text) as T,
      location: response.headers.get('location'),
    };
  };
  return {
    sid,
    send,
    get: <T = unknown>(path: string) => send<T>('GET', path),
    /** Puts something into the cart, which is the shop's. */
    putInCart(...lines: Partial<CartLine>[]) {
      const filled = lines.map((line) => ({
        id: ++cartItems,
        product_id: 1,
        name: `Thing ${line.product_id ?? 1}`,
        qty: 1,
        price: '15.35',
        ...line,
      }));
      shop.carts.set(sid, [...(shop.carts.get(sid) ?? []), ...filled]);
      return filled;
    },
  };
}

const rows = async (sql: string): Promise<unknown> => database.query(sql);
const counts = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    await Promise.all(
      TABLES.map(async (table) => {
        const [row] = (await rows(`SELECT COUNT(*) AS n FROM ${table}`)) as { n: number }[];
        return [table, row?.n ?? 0] as const;
      }),
    ),
  );

describe('orders', () => {
  it('are said in the words of the shop, the newest first, without the deleted ones', async () => {
    const customer = person({ id: 1 });
    expect(await customer.get('/api/orders')).toMatchObject({
      status: 200,
      body: [
        {
          order_no: 'B000001',
          status: 'done',
          total: '30.70',
          currency: 'EUR',
          placed: '2026-01-15 13:00:00',
        },
        { order_no: 'B000004', status: 'shipped' },
        { order_no: 'B000003', status: null, total: '0.00', placed: null },
      ],
    });
    expect((await customer.get('/api/orders/B000001')).body).toEqual({
      order_no: 'B000001',
      status: 'done',
      total: '30.70',
      currency: 'EUR',
      placed: '2026-01-15 13:00:00',
      street: 'Am Markt 3',
      city: 'Köln',
      zip: '50667',
      lines: [{ product_id: 1, name: 'Kanne', qty: 2, price: '15.35', tax_pct: 7.7 }],
      payments: [
        { method: 'card', amount: '30.70', status: 'paid', ref: 'TX-1', created: '2026-01-15 13:00:00' },
      ],
    });
    expect((await customer.get('/api/orders/B000003')).body).toMatchObject({
      lines: [{ product_id: null, name: null, qty: 0, price: '0.00', tax_pct: null }],
      payments: [{ method: null, amount: '0.00', status: null, ref: null, created: null }],
    });
    expect((await customer.get('/api/orders/B000002')).status).toBe(404);
    expect((await person({ id: 2 }).get('/api/orders/B000001')).status).toBe(404);
  });

  it('are placed with what the shop knows: the cart, its prices, the address; and the cart is empty then', async () => {
    const customer = person({ id: 7 });
    customer.putInCart({ product_id: 2, qty: 2, price: '10.01' }, { product_id: 1, name: 'Kanne' });
    const { status, body } = await customer.send<Order>('POST', '/api/checkout', { method: 'card' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      order_no: 'B000005',
      status: 'new',
      total: '35.37',
      street: 'Elbchaussee 1',
      zip: '22765',
      lines: [
        { product_id: 2, qty: 2, price: '10.01', tax_pct: 19 },
        { product_id: 1, name: 'Kanne' },
      ],
      payments: [{ method: 'card', amount: '35.37', status: 'open', ref: null }],
    });
    expect(shop.carts.get(customer.sid)).toEqual([]);
    expect((await customer.get('/api/stock/1')).body).toMatchObject({
      on_hand: 9,
      reserved: 0,
      available: 9,
    });
    expect(await rows('SELECT product_id, order_id, quantity, released FROM stock_reservation')).toEqual([
      { product_id: 2, order_id: 5, quantity: 2, released: 1 },
      { product_id: 1, order_id: 5, quantity: 1, released: 1 },
    ]);

    const path = `/api/orders/${body.order_no}`;
    expect(await customer.send('POST', `${path}/payments`, { method: 'paypal' })).toMatchObject({
      status: 201,
      body: { status: 'paid', payments: [{ method: 'paypal', status: 'paid', ref: 'TX-B000005' }] },
    });
    expect((await customer.send('POST', `${path}/payments`, { method: 'card' })).body).toMatchObject({
      message: 'Order B000005 is paid',
    });
    expect(await customer.send('POST', `${path}/cancel`)).toMatchObject({
      status: 200,
      body: { status: 'cancelled', payments: [{ status: 'refunded' }] },
    });
    expect((await customer.get('/api/stock/2')).body).toMatchObject({ on_hand: 3, reserved: 0 });
    expect((await customer.send('POST', `${path}/cancel`)).status).toBe(409);
  });

  it('that cannot be delivered leave nothing but their unused number, and the cart as it was', async () => {
    const customer = person({ id: 7 });
    const before = await counts();
    const cart = customer.putInCart({ product_id: 1 }, { product_id: 2, qty: 4 });
    expect(await customer.send('POST', '/api/checkout')).toMatchObject({
      status: 409,
      body: { message: 'Not enough of Thing 2 in stock' },
    });
    shop.products.set(2, { id: 2, status: 'sold_out', tax_pct: 19 });
    expect((await customer.send('POST', '/api/checkout')).body).toMatchObject({
      message: 'Product 2 can no longer be bought',
    });
    expect(await counts()).toEqual(before);
    expect(shop.carts.get(customer.sid)).toEqual(cart);
    expect((await customer.get('/api/stock/1')).body).toMatchObject({ on_hand: 10, reserved: 0 });
  });

  it('never take more than there is, however many buy the same at once', async () => {
    const buyers = Array.from({ length: 16 }, (_, at) => {
      const buyer = person({ id: 100 + at });
      buyer.putInCart(
        ...(at % 2 ? [{ product_id: 1 }, { product_id: 2 }] : [{ product_id: 2 }, { product_id: 1 }]),
      );
      return buyer;
    });
    const answers = await Promise.all(buyers.map((buyer) => buyer.send<Order>('POST', '/api/checkout')));
    const placed = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(13);
    expect(new Set(placed.map(({ body }) => body.order_no)).size).toBe(3);
    expect(await rows('SELECT product_id, on_hand, reserved FROM stock_level')).toMatchObject([
      { product_id: 1, on_hand: 7, reserved: 0 },
      { product_id: 2, on_hand: 0, reserved: 0 },
      { product_id: 3, on_hand: null },
    ]);
  });

  it('are placed once when the same cart is checked out several times at once', async () => {
    const customer = person({ id: 7 });
    customer.putInCart({ product_id: 1, qty: 2 }, { product_id: 2 });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => customer.send('POST', '/api/checkout')),
    );
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409', '409', '409']);
    expect((await customer.get<unknown[]>('/api/orders')).body).toHaveLength(1);
    expect((await customer.get('/api/stock/1')).body).toMatchObject({ on_hand: 8 });
  });

  it('have nothing twice when the shop does not let go of the cart', async () => {
    const customer = person({ id: 7 });
    const lines = customer.putInCart({ product_id: 1, qty: 2 });
    shop.keepsCarts = true;
    expect((await customer.send('POST', '/api/checkout')).status).toBe(201);
    expect((await customer.send('POST', '/api/checkout')).body).toMatchObject({
      message: 'The cart is empty',
    });
    // Three more of the same: the shop counts them to the item it still has.
    shop.carts.set(
      customer.sid,
      lines.map((line) => ({ ...line, qty: 5 })),
    );
    shop.keepsCarts = false;
    expect((await customer.send('POST', '/api/checkout')).body).toMatchObject({
      lines: [{ product_id: 1, qty: 3 }],
    });
    expect(shop.carts.get(customer.sid)).toEqual([]);
    expect((await customer.get('/api/stock/1')).body).toMatchObject({ on_hand: 5 });
  });
});

describe('whoever', () => {
  it('is not logged in, or has no token, changes nothing', async () => {
    const stranger = person();
    expect((await stranger.get('/api/orders')).body).toEqual({
      message: 'Please log in',
      error: 'Unauthorized',
      statusCode: 401,
    });
    expect((await stranger.send('POST', '/api/checkout')).status).toBe(401);
    const customer = person({ id: 1 });
    expect(await customer.send('POST', '/api/checkout', {}, { 'x-csrf-token': 'other' })).toMatchObject({
      status: 403,
      body: { message: 'CSRF token missing or wrong' },
    });
    expect((await customer.send('POST', '/api/checkout', {}, { cookie: '' })).status).toBe(403);
    expect((await customer.send('PUT', '/api/admin/stock/1', { on_hand: 5 })).body).toMatchObject({
      message: 'Only for admins',
    });
  });

  it('presses the button of the cart page is sent to the order, to the login or to a page that says why not', async () => {
    const customer = person({ id: 7 });
    customer.putInCart({ product_id: 1 });
    expect(await customer.send('POST', '/checkout', { method: 'card' })).toMatchObject({
      status: 303,
      location: `${service.url}/orders/B000005`,
    });
    const page = await customer.get<string>('/orders/B000005');
    expect(page.body).toContain('Hello, Ann Lee');
    expect(page.body).toContain('1 x Thing 1');
    const refused = await customer.send<string>('POST', '/checkout', { method: 'card' });
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('The cart is empty')]);
    const stranger = await person().get('/orders?x=1');
    expect(stranger).toMatchObject({ status: 302, location: `${service.url}/login?next=%2Forders%3Fx%3D1` });
    expect(await person().send('POST', '/checkout')).toMatchObject({
      status: 302,
      location: `${service.url}/login`,
    });
  });
});

describe('stock', () => {
  it('is answered to everybody and set by admins', async () => {
    expect((await person().get('/api/stock/1')).body).toEqual({
      product_id: 1,
      on_hand: 10,
      reserved: 0,
      available: 10,
      modified: '2026-07-02 00:30:00',
    });
    const admin = person({ id: 9, admin: true });
    expect(await admin.send('PUT', '/api/admin/stock/3', { on_hand: 5 })).toMatchObject({
      status: 200,
      body: { product_id: 3, on_hand: 5, available: 5 },
    });
    expect((await admin.send('PUT', '/api/admin/stock/3', { on_hand: -1 })).status).toBe(400);
    expect((await admin.send('PUT', '/api/admin/stock/99', { on_hand: 1 })).status).toBe(404);
  });

  it('is told to whoever listens when it changes, also by a row that came past this service', async () => {
    const told = new Promise<string>((resolve, reject) => {
      const request = httpGet(`${service.url}/api/stock/stream`, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          if (received === '') rows('UPDATE stock_level SET on_hand = 77 WHERE product_id = 2').catch(reject);
          received += chunk;
          if (!received.includes('data:')) return;
          request.destroy();
          resolve(received);
        });
      });
      request.on('error', reject);
    });
    expect(await told).toBe(
      ': stock changes\n\nevent: stock\ndata: {"product_id":2,"on_hand":77,"reserved":0,"available":77,"modified":null}\n\n',
    );
  });
});

describe('the service', () => {
  it('says who answered, and describes its routes', async () => {
    const response = await fetch(`${service.url}/api/openapi.json`);
    expect(response.headers.get('x-served-by')).toBe('orders');
    expect(Object.keys(((await response.json()) as { paths: object }).paths)).toContain('/api/checkout');
  });

  it('is ready when the database answers and every migration has run', async () => {
    expect((await person().get('/health/ready')).body).toMatchObject({
      details: { database: { status: 'up' } },
    });
  });
});
