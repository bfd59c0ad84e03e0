import { isDeepStrictEqual } from 'node:util';
import type { MigrationSync } from '@strangler/cdc';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Customer,
  LEGACY_TABLES,
  shopWithOrders,
  type ShopWithOrders,
} from './shop-with-orders.fixture.js';
import { until } from './until.js';

let world: ShopWithOrders;
let customer: Customer;
let admin: Customer;

beforeAll(async () => {
  world = await shopWithOrders();
  customer = await world.customer(17);
  admin = await world.admin();
});
afterAll(() => world?.close());

type Order = { readonly order_no: string; readonly status: string; readonly payments: readonly object[] };

/** Fills the cart, which is the shop's, and orders what is in it on one of the sides. */
async function order(side: string, who: Customer, ...productIds: number[]): Promise<Order> {
  for (const product_id of productIds)
    await who.send(world.shop, 'POST', '/api/cart/items', { json: { product_id, qty: 2 } });
  const answer = await who.send(side, 'POST', '/api/checkout', { json: { method: 'card' } });
  if (answer.status !== 201) throw new Error(`the order was answered ${answer.status}: ${answer.text}`);
  return answer.json() as Order;
}

/** Waits until both sides say the same of these. */
async function alike(paths: readonly string[]): Promise<void> {
  const answers = (side: string) =>
    Promise.all(paths.map(async (path) => (await admin.send(side, 'GET', path)).text));
  await until(
    `the same answers to ${paths.join(', ')}`,
    30_000,
    async () => isDeepStrictEqual(await answers(world.shop), await answers(world.service)),
    50,
  );
}

async function isVerified(sync: MigrationSync): Promise<void> {
  expect(sync.parked()).toEqual([]);
  const verification = await sync.verify();
  expect(verification.tables.flatMap(({ samples }) => samples)).toEqual([]);
  expect(verification).toMatchObject({ clean: true, driftRows: 0 });
}

const legacyRows = async (): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(LEGACY_TABLES).map(
        async ([table, sql]) => [table, await world.rows('shop', sql)] as const,
      ),
    ),
  );

describe('stock and orders, as the plan of the shop maps them', () => {
  it('are copied and followed into the service, and nothing differs', async () => {
    const there = await world.stream('there');
    await isVerified(there);
    const placed = await order(world.shop, customer, 1, 2);
    expect(placed).toMatchObject({ status: 'new', payments: [{ method: 'card', status: 'open' }] });
    await customer.send(world.shop, 'POST', `/api/orders/${placed.order_no}/payments`, {
      json: { method: 'paypal' },
    });
    await order(world.shop, customer, 3);
    await admin.send(world.shop, 'POST', '/api/admin/jobs/nightly', { json: {} });
    await until('the orders of the shop in the service', 30_000, async () => {
      const [theirs, ours] = await Promise.all(
        [world.shop, world.service].map((side) => customer.send(side, 'GET', '/api/orders')),
      );
      return theirs?.text === ours?.text;
    });
    await alike([1, 2, 3].map((id) => `/api/stock/${id}`));
    await isVerified(there);
  });

  it('are exact in the shop when the service writes them, and the shop goes on from there', async () => {
    const there = await world.stream('there');
    await isVerified(there);
    const before = await legacyRows();
    const back = await world.stream('back');
    await isVerified(back);
    // What the service has not touched the shop has as before.
    expect(await legacyRows()).toEqual(before);

    const kept = await order(world.service, customer, 1, 4);
    const paid = await order(world.service, customer, 2);
    const cancelled = await order(world.service, customer, 1);
    const act = async (no: string, what: string) => {
      const { status } = await customer.send(world.service, 'POST', `/api/orders/${no}/${what}`, {
        json: { method: 'invoice' },
      });
      expect([200, 201]).toContain(status);
    };
    await act(paid.order_no, 'payments');
    await act(cancelled.order_no, 'payments');
    await act(cancelled.order_no, 'cancel');
    await act('B009001', 'cancel');
    await admin.send(world.service, 'PUT', '/api/admin/stock/9', { json: { on_hand: 7 } });

    const answers = async (side: string) =>
      Promise.all(
        [kept.order_no, paid.order_no, cancelled.order_no, 'B009001', 'B009003']
          .map((no) => `/api/orders/${no}`)
          .concat('/api/orders', ...[1, 2, 4, 9].map((id) => `/api/stock/${id}`))
          .map(async (path) => (await customer.send(side, 'GET', path)).text),
      );
    const ours = await answers(world.service);
    expect(ours.slice(0, 4).map((text) => (JSON.parse(text) as Order).status)).toEqual([
      'new',
      'paid',
      'cancelled',
      'cancelled',
    ]);
    await until('the orders of the service in the shop', 30_000, async () =>
      isDeepStrictEqual(await answers(world.shop), ours),
    );
    await isVerified(back);
    const [[row]] = [
      await world.rows('shop', `SELECT order_no, customer_id, deleted FROM orders ORDER BY id DESC LIMIT 1`),
    ];
    expect(row).toEqual({ order_no: cancelled.order_no, customer_id: 17, deleted: null });

    // And the way back once more: whoever writes next goes on counting.
    await back.stop();
    const next = await order(world.shop, customer, 3);
    expect(next.order_no > cancelled.order_no).toBe(true);
    expect(next.order_no).not.toBe('');
  });
});
