import { type Answer, type Client } from './client.js';

/** What the traffic needs to know of the shop's rows; read once from the shop itself. */
export type Assortment = {
  readonly products: readonly number[];
  readonly skus: readonly string[];
  readonly categories: readonly string[];
  readonly reviews: readonly number[];
};

/** Sends one request of a visit and gives back its answer; the traffic counts what comes of it. */
export type Send = (
  client: Client,
  method: string,
  path: string,
  options?: Parameters<Client['send']>[2] & { readonly expected?: readonly number[] },
) => Promise<Answer>;

export type Visit = (
  client: Client,
  send: Send,
  shop: Assortment,
  pick: <T>(of: readonly T[]) => T,
) => Promise<void>;

/** Looks around without an account: lists, a few products, their reviews and neighbours. */
export const browse: Visit = async (client, send, shop, pick) => {
  await send(client, 'GET', '/products');
  await send(
    client,
    'GET',
    `/api/products?page=${pick([1, 2, 3, 4])}&per_page=20&sort=${pick(['name', 'price', 'newest'])}`,
  );
  const category = pick(shop.categories);
  await send(client, 'GET', `/api/categories/${category}/products`);
  const product = pick(shop.products);
  await send(client, 'GET', `/api/products/${product}`, { headers: { 'accept-encoding': 'gzip' } });
  await send(client, 'GET', `/products/${product}`);
  for (const part of ['reviews', 'rating', 'related', 'price'])
    await send(client, 'GET', `/api/products/${product}/${part}`);
  await send(
    client,
    'GET',
    pick([
      '/api/tags',
      '/api/categories',
      '/api/products/featured',
      `/api/categories/${category}`,
      `/api/products?q=${pick(['a', 'set', 'pro'])}`,
    ]),
  );
  await send(
    client,
    'GET',
    pick([
      `/api/products/by-sku/${pick(shop.skus)}`,
      `/api/reviews/${pick(shop.reviews)}`,
      '/api/products/999999999',
    ]),
    { expected: [200, 404] },
  );
};

/** Prices of a handful of products, as a price comparison site asks for them. */
export const comparePrices: Visit = async (client, send, shop, pick) => {
  for (let count = 0; count < 6; count++)
    await send(client, 'GET', `/api/products/${pick(shop.products)}/price`);
};

/** Logs in and answers the token that its writes need. */
export async function logIn(client: Client, send: Send, email: string, password: string): Promise<string> {
  const { token } = (await send(client, 'GET', '/api/csrf')).json() as { token: string };
  const answer = await send(client, 'POST', '/api/login', {
    json: { email, password },
    headers: { 'x-csrf-token': token },
  });
  return (answer.json() as { csrf: string }).csrf;
}

/** Buys something; answers the numbers of the orders the shop acknowledged. A sold-out product is no failure. */
export const buy =
  (customer: number, acknowledged: (orderNumber: string) => void): Visit =>
  async (client, send, shop, pick) => {
    const csrf = await logIn(client, send, `customer${customer}@shop.test`, `secret${customer}`);
    const headers = { 'x-csrf-token': csrf };
    const product = pick(shop.products);
    await send(client, 'GET', `/api/products/${product}`);
    await send(client, 'POST', '/api/cart/items', {
      json: { product_id: product, qty: 1 },
      headers,
      expected: [201, 409],
    });
    await send(client, 'GET', '/cart');
    const order = await send(client, 'POST', '/api/checkout', {
      json: { method: 'invoice' },
      headers,
      expected: [201, 409],
    });
    if (order.status === 201) {
      const { order_no } = order.json() as { order_no: string };
      acknowledged(order_no);
      await send(client, 'GET', `/api/orders/${order_no}`);
      await send(client, 'GET', '/orders');
    }
    await send(client, 'POST', `/api/products/${product}/reviews`, {
      json: { rating: pick([3, 4, 5]), title: 'Good', body: 'Does what it says 👍' },
      headers,
      expected: [201],
    });
    await send(client, 'GET', `/api/products/${product}/reviews`);
  };

/** Changes products and stock in the admin area, and lets the nightly job write by SQL once in a while, as long as there is one. */
export const administer =
  (hasNightly: () => boolean): Visit =>
  async (client, send, shop, pick) => {
    if (!client.cookies.has('cust'))
      client.cookies.set('csrf', await logIn(client, send, 'admin@shop.test', 'admin'));
    const headers = { 'x-csrf-token': client.cookies.get('csrf') ?? '' };
    await send(client, 'PATCH', `/api/admin/products/${pick(shop.products)}`, {
      json: {
        price: `${pick([9, 19, 49])}.${pick(['90', '95', '49'])}`,
        tags: pick(['new, sale', 'sale', 'gift,small']),
      },
      headers,
    });
    await send(client, 'PUT', `/api/admin/stock/${pick(shop.products)}`, {
      json: { on_hand: pick([40, 80, 120]) },
      headers,
    });
    if (hasNightly() && pick([true, false, false, false, false, false]))
      await send(client, 'POST', '/api/admin/jobs/nightly', { headers });
  };
