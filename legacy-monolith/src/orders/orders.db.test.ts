import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { json, tokenOf, type Browser } from '../testing/browser.js';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

interface Stock {
  on_hand: number;
  reserved: number;
}
interface Order {
  order_no: string;
  status: string;
  total: string;
  payments: { status: string }[];
}

describe('an order', () => {
  it('takes what was in the cart off the shelf, and puts it back when it is cancelled', async () => {
    const stranger = shop.stranger();
    const token = tokenOf(await (await stranger.get('/products/1')).text());
    const added = await stranger.form('/cart/items', { product_id: '1', qty: '2', _csrf: token });
    expect([added.status, added.headers.get('location')]).toEqual([303, `${shop.url}/cart`]);

    const customer = await stranger.logIn('customer17@shop.test', 'secret17');
    const { items, total } = await json<{ items: { qty: number }[]; total: string }>(
      customer.get('/api/cart'),
    );
    expect(items).toMatchObject([{ product_id: 1, qty: 2 }]);

    const before = await json<Stock>(customer.get('/api/stock/1'));
    const placed = await customer.form('/checkout', { method: 'card', _csrf: customer.csrf });
    expect(placed.status).toBe(303);
    const path = new URL(placed.headers.get('location') ?? '').pathname;
    expect(await (await customer.get(path)).text()).toContain(`${total} €`);

    const after = await json<Stock>(customer.get('/api/stock/1'));
    expect(after).toMatchObject({ on_hand: before.on_hand - 2, reserved: before.reserved });
    expect(await json(customer.get('/api/cart'))).toEqual({ items: [], total: '0.00', currency: 'EUR' });

    const order = await json<Order>(customer.json('POST', `/api${path}/payments`, { method: 'card' }), 201);
    expect(order).toMatchObject({ status: 'paid', total, payments: [{ status: 'paid', amount: total }] });
    const cancelled = await json<Order>(customer.json('POST', `/api${path}/cancel`));
    expect(cancelled).toMatchObject({ status: 'cancelled', payments: [{ status: 'refunded' }] });
    expect(await json(customer.get('/api/stock/1'))).toMatchObject({ on_hand: before.on_hand });
    expect((await customer.json('POST', `/api${path}/cancel`)).status).toBe(409);
  });

  it('of more than there is leaves cart and stock as they were', async () => {
    const admin = await shop.admin();
    const before = await json<Stock>(admin.json('PUT', '/api/admin/stock/2', { on_hand: 1 }));
    const customer = await shop.customer();
    await json(customer.json('POST', '/api/cart/items', { product_id: 1 }), 201);
    const cart = await json(customer.json('POST', '/api/cart/items', { product_id: 2, qty: 5 }), 201);
    const first = await json<Stock>(customer.get('/api/stock/1'));
    expect((await customer.json('POST', '/api/checkout')).status).toBe(409);
    expect(await json(customer.get('/api/cart'))).toEqual(cart);
    expect(await json(customer.get('/api/stock/1'))).toEqual(first);
    expect(await json(customer.get('/api/stock/2'))).toMatchObject(before);
  });

  it('is placed once when the same cart is checked out twice at once', async () => {
    const customer = await shop.customer();
    await json(customer.json('POST', '/api/cart/items', { product_id: 3 }), 201);
    const before = await json<unknown[]>(customer.get('/api/orders'));
    const answers = await Promise.all([1, 2].map(() => customer.json('POST', '/api/checkout')));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409']);
    expect(await json<unknown[]>(customer.get('/api/orders'))).toHaveLength(before.length + 1);
  });

  it('of another customer is not there', async () => {
    const other = await shop.stranger().logIn('customer18@shop.test', 'secret18');
    expect((await other.get('/api/orders/B000001')).status).toBe(404);
  });

  it('is neither lost nor refused when many buy and cancel the same at once', async () => {
    const buyers = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        shop.stranger().logIn(`customer${at + 1}@shop.test`, `secret${at + 1}`),
      ),
    );
    const before = await json<Stock>(shop.stranger().get('/api/stock/1'));
    const buy = async (buyer: Browser, productIds: number[]): Promise<string> => {
      for (const product_id of productIds)
        await json(buyer.json('POST', '/api/cart/items', { product_id }), 201);
      return (await json<Order>(buyer.json('POST', '/api/checkout'), 201)).order_no;
    };
    const numbers = await Promise.all(
      buyers.map(async (buyer, at) => {
        const kept = await buy(buyer, at % 2 ? [1, 3] : [3, 1]);
        const cancelled = await buy(buyer, [1]);
        await json(buyer.json('POST', `/api/orders/${cancelled}/cancel`));
        return [kept, cancelled];
      }),
    );
    expect(new Set(numbers.flat()).size).toBe(24);
    const after = await json<Stock>(shop.stranger().get('/api/stock/1'));
    expect(after).toMatchObject({ on_hand: before.on_hand - 12, reserved: before.reserved });
  });
});
