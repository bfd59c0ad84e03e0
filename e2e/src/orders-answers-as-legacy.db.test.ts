import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, RequestOptions } from './client.js';
import { type Customer, shopWithOrders, type ShopWithOrders } from './shop-with-orders.fixture.js';

let world: ShopWithOrders;
let customers: readonly Customer[];
let admin: Customer;

beforeAll(async () => {
  world = await shopWithOrders();
  await world.stream('there');
  customers = await Promise.all([17, 1, 2, 3, 4, 5].map((number) => world.customer(number)));
  admin = await world.admin();
});
afterAll(() => world?.close());

const NOT_COMPARED = ['date', 'connection', 'keep-alive', 'x-served-by'];
const shown = ({ status, headers, text }: Answer) => ({
  status,
  headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_COMPARED.includes(name))),
  text,
});

/** Asks both the same; fails where a byte or a header differs. Gives the statuses. */
async function same(
  who: Customer,
  asked: readonly (readonly [string, string, RequestOptions?])[],
): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (const [method, path, options] of asked) {
    const [theirs, ours] = await Promise.all([
      who.send(world.shop, method, path, options),
      who.send(world.service, method, path, options),
    ]);
    expect({ method, path, ...shown(ours) }).toEqual({ method, path, ...shown(theirs) });
    expect(ours.headers['x-served-by']).toBe('orders');
    statuses[ours.status] = (statuses[ours.status] ?? 0) + 1;
  }
  return statuses;
}

describe('the orders service, beside the shop it came from', () => {
  it('answers every order of a customer byte for byte alike, and no order of another', async () => {
    const numbers = (await world.rows('shop', 'SELECT order_no FROM orders WHERE id < 40 OR id > 9000')).map(
      ({ order_no }) => String(order_no),
    );
    let found = 0;
    for (const customer of customers) {
      const statuses = await same(customer, [
        ['GET', '/api/orders'],
        ...numbers.map((no) => ['GET', `/api/orders/${no}`] as const),
        ['HEAD', '/api/orders'],
        ['GET', '/api/orders', { headers: { 'accept-encoding': 'gzip' } }],
        ['GET', '/api/orders/none'],
        ['GET', '/api/orders/b000001'],
        ['GET', `/api/orders/${encodeURIComponent("ö'%")}`],
      ]);
      found += statuses[200] ?? 0;
    }
    expect(found).toBeGreaterThan(customers.length * 3 + 2);
  });

  it('answers the stock of every product alike, to strangers as well', async () => {
    const ids = [...Array.from({ length: 124 }, (_, id) => String(id)), '-1', 'abc', '1.5', '99999999999'];
    const statuses = await same(
      world.stranger(),
      ids.map((id) => ['GET', `/api/stock/${id}`]),
    );
    expect(statuses).toMatchObject({ 200: 120, 404: 6, 400: 2 });
  });

  it('shows the same pages, its own addresses but for the host', async () => {
    const [customer] = customers as readonly [Customer];
    const pages = [
      ['GET', '/orders'],
      ...['B000001', 'B009001', 'B009003', 'none', '%3Cb%3E'].map((no) => ['GET', `/orders/${no}`] as const),
      ['POST', '/checkout', { form: {}, headers: { 'x-csrf-token': '' } }],
      ['POST', '/checkout', { form: { method: 'card' } }],
      ['POST', '/checkout', { form: { method: 'gold' } }],
    ] as const;
    expect(await same(customer, pages)).toEqual({ 200: 4, 404: 2, 403: 1, 409: 1, 400: 1 });
    for (const side of [world.shop, world.service]) {
      const { status, headers } = await world.stranger().send(side, 'GET', '/orders?page=1');
      expect([status, headers['location']]).toEqual([302, `${side}/login?next=%2Forders%3Fpage%3D1`]);
    }
  });

  it('lets in whom the shop lets in, and refuses in the same words', async () => {
    const asked = [
      ['GET', '/api/orders'],
      ['POST', '/api/checkout', { json: {} }],
      ['POST', '/api/orders/B000001/cancel', { json: {} }],
      ['PUT', '/api/admin/stock/1', { json: { on_hand: 5 } }],
    ] as const;
    expect(await same(world.stranger(), asked)).toEqual({ 401: 1, 403: 3 });
    const forged = { headers: { 'x-csrf-token': 'f'.repeat(32) } };
    const [customer] = customers as readonly [Customer];
    expect(
      await same(customer, [
        ['POST', '/api/checkout', { json: {}, ...forged }],
        ['PUT', '/api/admin/stock/1', { json: { on_hand: 5 } }],
        ['POST', '/api/checkout', { json: { method: 'gold' } }],
        ['POST', '/api/checkout', { json: {} }],
        ['POST', '/api/orders/none/cancel', { json: {} }],
        ['POST', '/api/orders/none/payments', { json: { method: 'card' } }],
        ['POST', '/api/orders/none/payments', { json: {} }],
        ['POST', '/api/orders/B009003/cancel', { json: {} }],
        ['POST', '/api/orders/B009003/payments', { json: { method: 'card' } }],
      ]),
    ).toEqual({ 403: 2, 400: 2, 409: 3, 404: 2 });
    expect(
      await same(admin, [
        ['PUT', '/api/admin/stock/0', { json: { on_hand: 5 } }],
        ['PUT', '/api/admin/stock/1', { json: { on_hand: -1 } }],
        ['PUT', '/api/admin/stock/x', { json: { on_hand: 5 } }],
      ]),
    ).toEqual({ 404: 1, 400: 2 });
  });
});
