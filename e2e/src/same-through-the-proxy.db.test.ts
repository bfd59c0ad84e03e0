import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { Agent, FormData, request } from 'undici';
import { freePort } from './free-port.js';
import { runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';

const ROOT = resolve(import.meta.dirname, '../..');
const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
const database = `walk_${randomBytes(4).toString('hex')}`;

type Shown = { readonly status: number; readonly headers: Record<string, string>; readonly body: string };
type Ask = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | FormData;
};

/** Headers that belong to the connection and not to the answer (RFC 9110, 7.6.1), the clock, and the id that the proxy adds. */
const NOT_OF_THE_ANSWER = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'x-request-id']);

/** A browser that shows its answers with everything that is its own taken out: its host, its session, its tokens. */
class Browser {
  readonly base: string;
  readonly #cookies = new Map<string, string>();
  readonly #agent = new Agent({ connections: 4 });
  csrf = '';
  constructor(base: string) {
    this.base = base;
  }

  async ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Shown> {
    const answer = await request(`${this.base}${path}`, {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: {
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    const shown: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers))
      if (!NOT_OF_THE_ANSWER.has(name)) shown[name] = this.#withoutOwn([value ?? ''].flat().join('\n'));
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const compressed = answer.headers['content-encoding'] !== undefined;
    const text = this.#withoutOwn(compressed ? bytes.toString('base64') : bytes.toString('latin1'));
    // The tokens of a session change the length and the hash of a page that carries them.
    const isPage = String(answer.headers['content-type']).includes('html');
    if (isPage || text !== bytes.toString(compressed ? 'base64' : 'latin1'))
      for (const name of ['etag', 'content-length']) delete shown[name];
    return { status: answer.statusCode, headers: shown, body: text };
  }

  async logIn(email: string, password: string): Promise<Shown> {
    this.csrf = await this.token();
    const answer = await this.send('POST', '/api/login', { email, password });
    this.csrf = await this.token();
    return answer;
  }

  send(method: string, path: string, json?: object): Promise<Shown> {
    return this.ask(path, {
      method,
      headers: { 'content-type': 'application/json', 'x-csrf-token': this.csrf },
      ...(json ? { body: JSON.stringify(json) } : {}),
    });
  }

  form(path: string, fields: Record<string, string>): Promise<Shown> {
    return this.ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ _csrf: this.csrf, ...fields }).toString(),
    });
  }

  async token(): Promise<string> {
    const answer = await request(`${this.base}/api/csrf`, {
      dispatcher: this.#agent,
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return ((await answer.body.json()) as { token: string }).token;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #withoutOwn(text: string): string {
    return text
      .replaceAll(this.base, 'http://shop')
      .replaceAll(new URL(this.base).host, 'shop')
      .replaceAll(/\b[0-9a-f]{32,128}\b/g, 'TOKEN')
      .replaceAll(/\bB\d{6}\b/g, 'ORDER')
      .replaceAll(/Expires=[^;]+/g, 'Expires=TIME');
  }
}

type Operation = { readonly method: string; readonly path: string };

const EXAMPLES: Readonly<Record<string, string>> = { id: '1', sku: 'none', slug: 'none', no: 'B000001' };

describe('the shop behind the proxy', () => {
  const programs: StartedProgram[] = [];
  const browsers: Browser[] = [];
  let folder = '';
  let operations: Operation[] = [];
  let pair: { direct: Browser; proxied: Browser };
  let bases: { shop: string; proxy: string };

  const openPair = () => {
    pair = { direct: new Browser(bases.shop), proxied: new Browser(bases.proxy) };
    browsers.push(pair.direct, pair.proxied);
    return pair;
  };
  /** Does the same on both sides, one after the other, and expects the same to come of it. */
  const both = async (what: string, act: (browser: Browser) => Promise<Shown>): Promise<Shown> => {
    const direct = await act(pair.direct);
    const proxied = await act(pair.proxied);
    expect({ what, ...proxied }).toEqual({ what, ...direct });
    return direct;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'walk-'));
    const [shopPort, proxyPort, adminPort] = await Promise.all([freePort(), freePort(), freePort()]);
    bases = { shop: `http://127.0.0.1:${shopPort}`, proxy: `http://127.0.0.1:${proxyPort}` };
    const environment = {
      ...process.env,
      SHOP_DATABASE_URL: Object.assign(new URL(server), { pathname: `/${database}` }).href,
      SHOP_PORT: String(shopPort),
      SHOP_UPLOAD_DIR: join(folder, 'uploads'),
    };
    const seeded = await runCommand(
      join(ROOT, 'legacy-monolith/dist/seed.js'),
      ['--products', '120', '--customers', '40', '--orders', '60'],
      environment,
    );
    if (seeded.code !== 0) throw new Error(seeded.err);
    programs.push(
      await startProgram(
        join(ROOT, 'legacy-monolith/dist/main.js'),
        [],
        environment,
        join(folder, 'shop.log'),
      ),
    );
    const plan = join(folder, 'plan.yaml');
    await writeFile(
      plan,
      `version: 1\nproxy:\n  listen: 127.0.0.1:${proxyPort}\n  admin: 127.0.0.1:${adminPort}\nupstreams:\n  legacy: ${bases.shop}\n`,
    );
    programs.push(
      await startProgram(
        join(ROOT, 'strangler-proxy/bin/strangler-proxy.js'),
        ['--plan', plan],
        process.env,
        join(folder, 'proxy.log'),
      ),
    );
    const document = (await (await fetch(`${bases.shop}/api/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => EXAMPLES[name] ?? '1'),
      })),
    );
    openPair();
  });

  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    for (const program of programs.toReversed()) await program.stop();
    const connection = await createConnection(server);
    await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
    await connection.end();
    await rm(folder, { recursive: true, force: true });
  });

  const PAGES = [
    '/',
    '/products',
    '/products?page=2',
    '/products/1',
    '/products/999999',
    '/login',
    '/cart',
    '/orders',
    '/orders/B000001',
    '/admin',
    '/admin/products',
    '/api/docs',
    '/files/1',
    '/health',
    '/no/such/page',
    '/api/nothing',
  ];
  const LISTS = [
    '/api/products?per_page=100',
    '/api/products?sort=price&page=2',
    '/api/products?q=e&tag=sale',
    '/api/products?per_page=9999',
    '/api/products?sort=bogus',
  ];

  /** Asks for everything three times over; gives the number of questions. */
  const walk = async (): Promise<number> => {
    expect(operations.length).toBeGreaterThan(25);
    const reads = operations.filter(
      ({ method, path }) => method === 'GET' && !path.includes('stream') && !path.includes('csrf'),
    );
    const paths = [...reads.map((operation) => operation.path), ...PAGES, ...LISTS];
    for (const path of paths) {
      await both(`GET ${path}`, (browser) => browser.ask(path));
      await both(`HEAD ${path}`, (browser) => browser.ask(path, { method: 'HEAD' }));
      await both(`GET ${path}, compressed`, (browser) =>
        browser
          .ask(path, { headers: { 'accept-encoding': 'gzip' } })
          .then((answer) =>
            answer.headers['content-encoding'] && answer.headers['content-type']?.includes('html')
              ? { ...answer, body: '' }
              : answer,
          ),
      );
    }
    return paths.length * 3;
  };

  it('answers every route and page to a stranger as it does directly', async () => {
    expect(await walk()).toBeGreaterThan(100);
  });

  it('answers every write without a token with the same refusal', async () => {
    for (const { method, path } of operations.filter((operation) => operation.method !== 'GET')) {
      const answer = await both(`${method} ${path}`, (browser) =>
        browser.ask(path, { method, headers: { 'content-type': 'application/json' }, body: '{}' }),
      );
      expect(answer.status).toBe(403);
    }
  });

  it('answers conditional and odd requests as it does directly', async () => {
    const { headers } = await both('etag', (browser) => browser.ask('/api/products/1'));
    const again = await both('If-None-Match', (browser) =>
      browser.ask('/api/products/1', { headers: { 'if-none-match': headers['etag'] ?? '' } }),
    );
    expect(again.status).toBe(304);
    await both('OPTIONS', (browser) => browser.ask('/api/products', { method: 'OPTIONS' }));
    for (const path of [
      '/api/products/%31',
      '/api//products',
      '/api/products/..%2fcategories',
      '/api/products/1;v=2',
      '/api/products/%zz',
      '/API/products',
      '/api/products/',
    ])
      await both(path, (browser) => browser.ask(path));
  });

  it('redirects to the host the user typed', async () => {
    const answer = await both('GET /', (browser) => browser.ask('/'));
    expect(answer.headers['location']).toBe('http://shop/products');
  });

  it('lets a customer log in, buy and review as it does directly', async () => {
    openPair();
    await both('log in', (browser) => browser.logIn('customer7@shop.test', 'secret7'));
    await walk();
    const list = await pair.direct.ask('/api/products?per_page=1&sort=name');
    const id = (JSON.parse(list.body) as { items: { id: number }[] }).items[0]?.id;
    await both('cart by form', (browser) =>
      browser.form('/cart/items', { product_id: String(id), qty: '1' }),
    );
    await both('cart page', (browser) =>
      browser
        .ask('/cart')
        .then((answer) => ({ ...answer, body: answer.body.replaceAll(/\/cart\/items\/\d+/g, '') })),
    );
    const ordered = await both('checkout', (browser) =>
      browser
        .send('POST', '/api/checkout', { method: 'invoice' })
        .then((answer) => ({ ...answer, headers: {}, body: answer.body.replaceAll(/"ref":"[^"]*"/g, '') })),
    );
    expect(ordered.status).toBe(201);
    await both('review', (browser) =>
      browser
        .send('POST', `/api/products/${id}/reviews`, { rating: 5, title: 'Grüße', body: 'Sehr gut 👍' })
        .then(({ status }) => ({ status, headers: {}, body: '' })),
    );
    await both('log out', (browser) => browser.form('/logout', {}));
    await both('after logging out', (browser) => browser.ask('/api/me'));
    await both('log in by form, wrong', (browser) =>
      browser.form('/login', { email: 'customer7@shop.test', password: 'wrong' }),
    );
  });

  it('lets an admin edit, upload and download as it does directly', async () => {
    openPair();
    await both('log in', (browser) => browser.logIn('admin@shop.test', 'admin'));
    await walk();
    const edited = await both('edit', (browser) =>
      browser
        .send('PATCH', '/api/admin/products/1', { name: 'Ünïcode €', price: '12.90' })
        .then(({ status, body }) => ({
          status,
          headers: {},
          body: body.replace(/"modified":"[^"]*"/, ''),
        })),
    );
    expect(edited.status).toBe(200);
    await both('edit by form', (browser) =>
      browser.form('/admin/products/1', { name: 'By form', price: '13.90' }),
    );
    await both('stock', (browser) => browser.send('PUT', '/api/admin/stock/1', { on_hand: 9 }));
    const bytes = randomBytes(300_000);
    const paths: string[] = [];
    for (const browser of [pair.direct, pair.proxied]) {
      const body = new FormData();
      body.set('file', new Blob([bytes], { type: 'application/pdf' }), 'manual.pdf');
      const uploaded = await browser.ask('/api/admin/products/1/file', {
        method: 'POST',
        headers: { 'x-csrf-token': browser.csrf },
        body,
      });
      expect(uploaded.status).toBe(201);
      paths.push(`/files/${(JSON.parse(uploaded.body) as { id: number }).id}`);
    }
    expect(await pair.proxied.ask(paths[0] ?? '')).toEqual(await pair.direct.ask(paths[0] ?? ''));
    const download = await fetch(`${bases.proxy}${paths[1]}`);
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
    await both('range', (browser) => browser.ask(paths[0] ?? '', { headers: { range: 'bytes=10-19' } }));
  });

  it('streams events as they happen', async () => {
    const reader = (await fetch(`${bases.proxy}/api/stock/stream`)).body?.getReader();
    let text = '';
    const seen = (async () => {
      while (!text.includes('"product_id":2') && !text.includes('"product_id": 2')) {
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done) return;
        text += Buffer.from(value ?? []).toString();
      }
    })();
    await pair.direct.send('PUT', '/api/admin/stock/2', { on_hand: 77 });
    await seen;
    expect(text).toContain('77');
    await reader?.cancel();
  });
});
