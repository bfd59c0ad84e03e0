import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import { readEnvironment } from './environment.js';
import { seed } from './seed/seed.js';
import { startShop, type Shop } from './shop.js';

const server = process.env['STRANGLER_MYSQL_URL']!;
const database = `shop_${randomBytes(4).toString('hex')}`;
const databaseUrl = new URL(database, server).href;

let connection: Connection;
let uploadDir: string;
let shop: Shop;

const environment = () =>
  readEnvironment({ SHOP_DATABASE_URL: databaseUrl, SHOP_PORT: '0', SHOP_UPLOAD_DIR: uploadDir });

beforeAll(async () => {
  uploadDir = await mkdtemp(join(tmpdir(), 'shop-uploads-'));
  connection = await mysql.createConnection(server);
  await seed({ url: databaseUrl, products: 60, customers: 30, orders: 40, reviews: 80 });
  shop = await startShop(environment());
});

afterAll(async () => {
  await shop.close();
  await connection.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection.end();
  await rm(uploadDir, { recursive: true, force: true });
});

/** Keeps cookies, follows no redirect, sends the token of its session with everything. */
class Browser {
  readonly cookies = new Map<string, string>();
  csrf = '';

  async send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    if (this.csrf && !headers.has('x-csrf-token')) headers.set('x-csrf-token', this.csrf);
    const response = await fetch(shop.url + path, { redirect: 'manual', ...init, method, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  get(path: string): Promise<Response> {
    return this.send('GET', path);
  }

  json(method: string, path: string, body: unknown = {}): Promise<Response> {
    return this.send(method, path, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  /** As a browser does: the token comes from the page, in a field. */
  form(path: string, fields: Record<string, string>): Promise<Response> {
    const csrf = this.csrf;
    this.csrf = '';
    return this.send('POST', path, { body: new URLSearchParams(fields) }).finally(() => (this.csrf = csrf));
  }

  async logIn(email: string, password: string): Promise<this> {
    this.csrf = (await body<{ token: string }>(this.get('/api/csrf'))).token;
    const answer = body<{ csrf: string }>(this.json('POST', '/api/login', { email, password }));
    this.csrf = (await answer).csrf;
    return this;
  }
}

const asCustomer = () => new Browser().logIn('customer17@shop.test', 'secret17');
const asAdmin = () => new Browser().logIn('admin@shop.test', 'admin');

const body = async <T>(response: Promise<Response>, status = 200): Promise<T> => {
  const answer = await response;
  expect([answer.status, answer.url]).toEqual([status, answer.url]);
  return (await answer.json()) as T;
};

const tokenOf = (page: string): string => /name="_csrf" value="([0-9a-f]{32})"/.exec(page)?.[1] ?? '';

interface Product {
  id: number;
  name: string;
  price: string;
  gross_price: number;
  tags: string[];
  category: { slug: string } | null;
}
interface ProductPage {
  items: Product[];
  total: number;
}

describe('the catalog', () => {
  it('lists every visible product once over all pages', async () => {
    const browser = new Browser();
    const { total } = await body<ProductPage>(browser.get('/api/products?per_page=1'));
    const ids: number[] = [];
    for (let page = 1; page <= Math.ceil(total / 7); page++)
      ids.push(
        ...(await body<ProductPage>(browser.get(`/api/products?page=${page}&per_page=7`))).items.map(
          ({ id }) => id,
        ),
      );
    expect(new Set(ids).size).toBe(total);
    expect(ids).toHaveLength(total);
  });

  it('shows product 1 with the same category and price wherever it is asked for', async () => {
    const browser = new Browser();
    const product = await body<Product>(browser.get('/api/products/1'));
    expect(product).toMatchObject({
      id: 1,
      category: { slug: 'kueche' },
      tags: ['küche', 'geschenk', 'neu'],
    });
    expect(await body(browser.get('/api/products/by-sku/SH-00001'))).toEqual(product);
    const price = await body(browser.get('/api/products/1/price'));
    expect(price).toMatchObject({ product_id: 1, net: product.price, gross: product.gross_price });
    const { items } = await body<ProductPage>(browser.get('/api/categories/kueche/products?per_page=100'));
    expect(items).toContainEqual(product);
  });

  it('finds a tag whatever is around its comma', async () => {
    const browser = new Browser();
    const tags = await body<{ tag: string; count: number }[]>(browser.get('/api/tags'));
    expect(tags.length).toBeGreaterThan(5);
    for (const { tag, count } of tags) {
      const found = await body<ProductPage>(
        browser.get(`/api/products?per_page=100&tag=${encodeURIComponent(tag)}`),
      );
      expect([tag, found.total]).toEqual([tag, count]);
      for (const product of found.items) expect(product.tags).toContain(tag);
    }
  });

  it('hides drafts, what is gone, deleted or not visible', async () => {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT id FROM ${database}.product WHERE deleted_at IS NOT NULL OR COALESCE(is_visible, 0) = 0
          OR COALESCE(status, 'gone') IN ('draft', 'gone')`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { id } of rows) {
      const answer = await body(new Browser().get(`/api/products/${id}`), 404);
      expect(answer).toEqual({ message: `Product ${id} not found`, error: 'Not Found', statusCode: 404 });
    }
  });

  it.each([
    '/api/products?page=0',
    '/api/products?per_page=101',
    '/api/products?sort=luck',
    '/api/products/one',
  ])('refuses %s', async (path) => {
    expect((await new Browser().get(path)).status).toBe(400);
  });

  it('says nothing about the session', async () => {
    const anonymous = await new Browser().get('/api/products/1');
    const known = await (await asCustomer()).get('/api/products/1');
    expect(anonymous.headers.getSetCookie()).toEqual([]);
    expect(known.headers.getSetCookie()).toEqual([]);
    expect(await known.text()).toBe(await anonymous.text());
  });
});

describe('logging in', () => {
  it('by form takes the token of the page, rotates the session and leads to an absolute address', async () => {
    const browser = new Browser();
    const token = tokenOf(await (await browser.get('/login?next=/orders')).text());
    const stranger = browser.cookies.get('shop_sid');
    const fields = { email: 'customer17@shop.test', password: 'secret17', next: '/orders', _csrf: token };
    const answer = await browser.form('/login', fields);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${shop.url}/orders`);
    expect(browser.cookies.get('shop_sid')).not.toBe(stranger);
    expect(browser.cookies.get('cust')).toBe('17');
    const page = await (await browser.get('/orders')).text();
    expect(page).toContain('B000001');

    const left = await browser.form('/logout', { _csrf: tokenOf(page) });
    expect(left.headers.get('location')).toBe(`${shop.url}/products`);
    expect([...browser.cookies.keys()]).toEqual([]);
    expect((await browser.get('/api/me')).status).toBe(401);
  });

  it('with a wrong password shows the form again', async () => {
    const browser = new Browser();
    const token = tokenOf(await (await browser.get('/login')).text());
    const answer = await browser.form('/login', {
      email: 'customer17@shop.test',
      password: 'x',
      _csrf: token,
    });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('E-mail or password is wrong');
  });

  it.each(['https://evil.test/', '//evil.test/', '/\\evil.test'])('never leads to %s', async (next) => {
    const browser = new Browser();
    const token = tokenOf(await (await browser.get('/login')).text());
    const fields = { email: 'customer17@shop.test', password: 'secret17', next, _csrf: token };
    expect((await browser.form('/login', fields)).headers.get('location')).toBe(`${shop.url}/products`);
  });

  it('is where pages send a stranger, while the API says 401', async () => {
    const page = await new Browser().get('/orders');
    expect([page.status, page.headers.get('location')]).toEqual([302, `${shop.url}/login?next=%2Forders`]);
    expect((await new Browser().get('/api/orders')).status).toBe(401);
  });

  it('uses the public host and scheme that a proxy names', async () => {
    const headers = { 'x-forwarded-host': 'shop.test', 'x-forwarded-proto': 'https' };
    const answer = await new Browser().send('GET', '/', { headers });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://shop.test/products']);
  });
});

describe('the token of the session', () => {
  it.each(['', 'f'.repeat(32)])('is asked for by forms and JSON: %j is 403', async (token) => {
    const browser = await asCustomer();
    browser.csrf = '';
    const headers = { 'x-csrf-token': token, 'content-type': 'application/json' };
    const answer = await browser.send('POST', '/api/cart/items', { body: '{"product_id":1}', headers });
    expect(answer.status).toBe(403);
    const page = await browser.form('/cart/items', { product_id: '1', _csrf: token });
    expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8']);
  });
});

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
    const stranger = new Browser();
    const token = tokenOf(await (await stranger.get('/products/1')).text());
    const added = await stranger.form('/cart/items', { product_id: '1', qty: '2', _csrf: token });
    expect([added.status, added.headers.get('location')]).toEqual([303, `${shop.url}/cart`]);

    const customer = await stranger.logIn('customer17@shop.test', 'secret17');
    const { items, total } = await body<{ items: { qty: number }[]; total: string }>(
      customer.get('/api/cart'),
    );
    expect(items).toMatchObject([{ product_id: 1, qty: 2 }]);

    const before = await body<Stock>(customer.get('/api/stock/1'));
    const placed = await customer.form('/checkout', { method: 'card', _csrf: customer.csrf });
    expect(placed.status).toBe(303);
    const path = new URL(placed.headers.get('location') ?? '').pathname;
    expect(await (await customer.get(path)).text()).toContain(`${total} €`);

    const after = await body<Stock>(customer.get('/api/stock/1'));
    expect(after).toMatchObject({ on_hand: before.on_hand - 2, reserved: before.reserved });
    expect(await body(customer.get('/api/cart'))).toEqual({ items: [], total: '0.00', currency: 'EUR' });

    const order = await body<Order>(customer.json('POST', `/api${path}/payments`, { method: 'card' }), 201);
    expect(order).toMatchObject({ status: 'paid', total, payments: [{ status: 'paid', amount: total }] });
    const cancelled = await body<Order>(customer.json('POST', `/api${path}/cancel`));
    expect(cancelled).toMatchObject({ status: 'cancelled', payments: [{ status: 'refunded' }] });
    expect(await body(customer.get('/api/stock/1'))).toMatchObject({ on_hand: before.on_hand });
    expect((await customer.json('POST', `/api${path}/cancel`)).status).toBe(409);
  });

  it('of more than there is leaves cart and stock as they were', async () => {
    const admin = await asAdmin();
    const before = await body<Stock>(admin.json('PUT', '/api/admin/stock/2', { on_hand: 1 }));
    const customer = await asCustomer();
    await body(customer.json('POST', '/api/cart/items', { product_id: 1 }), 201);
    const cart = await body(customer.json('POST', '/api/cart/items', { product_id: 2, qty: 5 }), 201);
    const first = await body<Stock>(customer.get('/api/stock/1'));
    expect((await customer.json('POST', '/api/checkout')).status).toBe(409);
    expect(await body(customer.get('/api/cart'))).toEqual(cart);
    expect(await body(customer.get('/api/stock/1'))).toEqual(first);
    expect(await body(customer.get('/api/stock/2'))).toMatchObject(before);
  });

  it('is placed once when the same cart is checked out twice at once', async () => {
    const customer = await asCustomer();
    await body(customer.json('POST', '/api/cart/items', { product_id: 3 }), 201);
    const before = await body<unknown[]>(customer.get('/api/orders'));
    const answers = await Promise.all([1, 2].map(() => customer.json('POST', '/api/checkout')));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409']);
    expect(await body<unknown[]>(customer.get('/api/orders'))).toHaveLength(before.length + 1);
  });

  it('of another customer is not there', async () => {
    const other = await new Browser().logIn('customer18@shop.test', 'secret18');
    expect((await other.get('/api/orders/B000001')).status).toBe(404);
  });
});

it('a review is in the lists and in the rating once an admin approved it', async () => {
  const customer = await asCustomer();
  const admin = await asAdmin();
  const count = async () => (await body<{ count: number }>(customer.get('/api/products/1/rating'))).count;
  const before = await count();
  const text = { rating: 5, title: 'Größer 🙂', body: 'Très bien, 5 € wert' };
  const { id } = await body<{ id: number }>(customer.json('POST', '/api/products/1/reviews', text), 201);
  expect((await customer.get(`/api/reviews/${id}`)).status).toBe(404);
  expect(await count()).toBe(before);
  await body(admin.json('POST', `/api/admin/reviews/${id}/approve`));
  expect(await body(customer.get(`/api/reviews/${id}`))).toMatchObject(text);
  expect(await count()).toBe(before + 1);
});

describe('an admin', () => {
  it('is not just anybody', async () => {
    const customer = await asCustomer();
    expect((await customer.get('/admin')).status).toBe(403);
    expect((await customer.json('DELETE', '/api/admin/products/1')).status).toBe(403);
    expect((await new Browser().get('/admin')).status).toBe(302);
  });

  it('edits a product in a page', async () => {
    const admin = await asAdmin();
    const token = tokenOf(await (await admin.get('/admin/products')).text());
    const fields = {
      name: 'Umbenannt',
      price: '10.00',
      discount_pct: '',
      tags: 'a, b',
      status: 'active',
      _csrf: token,
    };
    const answer = await admin.form('/admin/products/2', fields);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${shop.url}/admin/products`]);
    const product = await body(admin.get('/api/products/2'));
    expect(product).toMatchObject({
      name: 'Umbenannt',
      price: '10.00',
      discount_pct: null,
      tags: ['a', 'b'],
    });
  });

  it('creates, changes and deletes a product', async () => {
    const admin = await asAdmin();
    const fresh = {
      sku: 'SH-90001',
      name: 'Neu',
      price: '1.03',
      discount_pct: '5.0',
      tax_pct: '19.0',
      status: 'active',
    };
    const { id } = await body<Product>(admin.json('POST', '/api/admin/products', fresh), 201);
    expect(await body(admin.get(`/api/products/${id}`))).toMatchObject({ name: 'Neu', gross_price: 1.17 });
    await body(
      admin.json('PATCH', `/api/admin/products/${id}`, { manufacturer: 'Böhm & €', featured: true }),
    );
    const changed = await body(admin.get(`/api/products/${id}`));
    expect(changed).toMatchObject({ name: 'Neu', manufacturer: 'Böhm & €', featured: true });
    expect((await admin.json('PATCH', `/api/admin/products/${id}`, { manufacturer: '🙂' })).status).toBe(400);
    expect((await admin.json('DELETE', `/api/admin/products/${id}`)).status).toBe(204);
    expect((await admin.get(`/api/products/${id}`)).status).toBe(404);
  });

  it('uploads a file that everybody downloads, whole or in part', async () => {
    const admin = await asAdmin();
    const form = new FormData();
    form.set('file', new Blob(['Größe: 30 cm'], { type: 'text/plain' }), 'Maße.txt');
    const file = await body<{ path: string }>(
      admin.send('POST', '/api/admin/products/1/file', { body: form }),
      201,
    );
    expect(file).toMatchObject({ file_name: 'Maße.txt', mime: 'text/plain', bytes: 14 });

    const whole = await new Browser().get(file.path);
    expect(await whole.text()).toBe('Größe: 30 cm');
    expect(whole.headers.get('content-disposition')).toContain("filename*=UTF-8''Ma%C3%9Fe.txt");
    const etag = whole.headers.get('etag') ?? '';
    // Without a cache-control of its own fetch adds no-cache, and nothing is ever fresh.
    const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await new Browser().send('GET', file.path, { headers })).status).toBe(304);
    const part = await new Browser().send('GET', file.path, { headers: { range: 'bytes=0-2' } });
    expect([part.status, await part.text()]).toEqual([206, 'Gr\uFFFD']);
    expect((await new Browser().get('/files/999')).status).toBe(404);
  });

  it('runs the nightly job, which writes past the services', async () => {
    const admin = await asAdmin();
    const { run, note } = await body<{ run: number; note: string }>(
      admin.json('POST', '/api/admin/jobs/nightly'),
    );
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT note, finished FROM ${database}.job_run WHERE id = ?`,
      [run],
    );
    expect(rows).toEqual([{ note, finished: expect.any(Date) }]);
    expect(note).toMatch(/^prices \d+, refilled \d+, reservations \d+, sessions 0$/);
  });
});

/** Reads an event stream until it has `count` blocks; `fetch` would ask for compression on its own. */
function blocks(count: number, started: () => void): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${shop.url}/api/stock/stream`,
      { headers: { 'accept-encoding': 'gzip' } },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          if (received === '') started();
          received += chunk;
          if (received.split('\n\n').length <= count) return;
          request.destroy();
          resolve(received.split('\n\n').slice(0, count));
        });
      },
    );
    request.on('error', reject).end();
  });
}

it('the stream tells every change of stock, uncompressed and at once', async () => {
  const admin = await asAdmin();
  const change = () => void admin.json('PUT', '/api/admin/stock/4', { on_hand: 77 });
  const [comment, event = ''] = await blocks(2, change);
  expect(comment).toMatch(/^:/);
  expect(event).toMatch(/^event: stock\ndata: /);
  expect(JSON.parse(event.split('data: ')[1] ?? '')).toMatchObject({ product_id: 4, on_hand: 77 });
});

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
  const admin = await asAdmin();
  await body(admin.json('PATCH', '/api/admin/products/3', { name: '<script>alert(1)</script>' }));
  expect(await (await admin.get('/products/3')).text()).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});

it('the API describes every JSON route, with an example that exists for every path parameter of a GET', async () => {
  const { paths } = await body<{ paths: Record<string, Record<string, unknown>> }>(
    new Browser().get('/api/openapi.json'),
  );
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
  [`${databaseUrl}_none`, /does not exist: create and fill it with "npm run seed"/],
  [new URL('mysql', server).href, /has no shop schema/],
  ['mysql://root@127.0.0.1:1/shop', /does not let the shop in \(ECONNREFUSED\)/],
])('does not start on %s', async (url, sentence) => {
  await expect(startShop({ ...environment(), databaseUrl: url })).rejects.toThrow(sentence);
});
