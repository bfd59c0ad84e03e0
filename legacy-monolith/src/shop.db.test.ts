import { request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { json } from './testing/browser.js';
import { startShop } from './shop.js';
import { openShop, type OpenShop } from './testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

it('a list is compressed for whoever takes it, with the same content', async () => {
  const raw = (headers: Record<string, string>) =>
    new Promise<{ encoding: string | undefined; content: Buffer }>((resolve, reject) => {
      httpRequest(`${shop.url}/api/products`, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ encoding: response.headers['content-encoding'], content: Buffer.concat(chunks) }),
        );
      })
        .on('error', reject)
        .end();
    });
  const plain = await raw({});
  const packed = await raw({ 'accept-encoding': 'gzip' });
  expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
  expect(gunzipSync(packed.content).equals(plain.content)).toBe(true);
});

it('what is shown in a page is escaped', async () => {
  const admin = await shop.admin();
  await json(admin.json('PATCH', '/api/admin/products/3', { name: '<script>alert(1)</script>' }));
  expect(await (await admin.get('/products/3')).text()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});

interface Description {
  paths: Record<
    string,
    Record<string, { parameters?: { name: string; in: string; schema?: { example?: string | number } }[] }>
  >;
}

it('every described page of the API answers at its examples', async () => {
  const customer = await shop.customer();
  const { paths } = await json<Description>(customer.get('/api/openapi.json'));
  const gets = Object.entries(paths).filter(([path, { get }]) => get && path !== '/api/stock/stream');
  expect(gets.length).toBeGreaterThan(15);
  for (const [path, { get }] of gets) {
    const parameters = (get?.parameters ?? []).filter((parameter) => parameter.in === 'path');
    const address = parameters.reduce(
      (text, { name, schema }) => text.replace(`{${name}}`, String(schema?.example)),
      path,
    );
    expect([path, (await customer.get(address)).status]).toEqual([path, 200]);
  }
});

it('the API describes these routes', async () => {
  const { paths } = await json<Description>(shop.stranger().get('/api/openapi.json'));
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(routes.toSorted()).toMatchInlineSnapshot(`
   [
     "delete /api/admin/products/{id}",
     "delete /api/cart/items/{id}",
     "get /api/cart",
     "get /api/categories",
     "get /api/categories/{slug}",
     "get /api/categories/{slug}/products",
     "get /api/csrf",
     "get /api/me",
     "get /api/me/address",
     "get /api/orders",
     "get /api/orders/{no}",
     "get /api/products",
     "get /api/products/by-sku/{sku}",
     "get /api/products/featured",
     "get /api/products/{id}",
     "get /api/products/{id}/price",
     "get /api/products/{id}/rating",
     "get /api/products/{id}/related",
     "get /api/products/{id}/reviews",
     "get /api/reviews/{id}",
     "get /api/stock/stream",
     "get /api/stock/{id}",
     "get /api/tags",
     "patch /api/admin/products/{id}",
     "post /api/admin/jobs/nightly",
     "post /api/admin/products",
     "post /api/admin/products/{id}/file",
     "post /api/admin/reviews/{id}/approve",
     "post /api/cart/items",
     "post /api/checkout",
     "post /api/login",
     "post /api/orders/{no}/cancel",
     "post /api/orders/{no}/payments",
     "post /api/products/{id}/reviews",
     "put /api/admin/stock/{id}",
   ]
  `);
});

it.each([
  [
    'a database that is not there',
    'shop_none',
    /"shop_none" does not exist: create and fill it with "npm run seed"/,
  ],
  ['a database of something else', 'mysql', /"mysql" has no shop schema/],
])('%s stops the start', async (_, database, sentence) => {
  const databaseUrl = new URL(database, shop.environment.databaseUrl).href;
  await expect(startShop({ ...shop.environment, databaseUrl })).rejects.toThrow(sentence);
});

it('a server that is not there stops the start', async () => {
  const databaseUrl = 'mysql://root@127.0.0.1:1/shop';
  const start = startShop({ ...shop.environment, databaseUrl });
  await expect(start).rejects.toThrow('"127.0.0.1:1" does not let the shop in (ECONNREFUSED)');
});
