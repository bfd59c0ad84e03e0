import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { Agent, request } from 'undici';
import { copyCatalog, fewAndOddRows } from './catalog-by-sql.js';
import { runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';
const suffix = randomBytes(4).toString('hex');
const legacyDatabase = `shop_${suffix}`;
const catalogDatabase = `catalog_${suffix}`;
const urlOf = (database: string): string => new URL(`/${database}`, SERVER).href;
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  SHOP_DATABASE_URL: urlOf(legacyDatabase),
  SHOP_PORT: '0',
  CATALOG_DATABASE_URL: urlOf(catalogDatabase),
  CATALOG_PORT: '0',
};

const started: StartedProgram[] = [];
const agent = new Agent({ connections: 8 });
let folder: string;
let connection: Connection;
let legacy: string;
let roundingTwice: string;
let roundingOnce: string;

async function run(script: string): Promise<void> {
  const { code, err } = await runCommand(join(ROOT, script), [], ENVIRONMENT);
  if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${err}`);
}

async function start(script: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const program = await startProgram(
    join(ROOT, script),
    [],
    { ...ENVIRONMENT, ...environment },
    join(folder, 'log'),
  );
  started.push(program);
  return String(program.ready['url']);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-answers-'));
  await run('legacy-monolith/dist/seed.js');
  await run('extracted-services/catalog/dist/migrate.js');
  connection = await createConnection({ uri: SERVER, multipleStatements: true });
  await connection.query(fewAndOddRows(legacyDatabase));
  await connection.query(copyCatalog(legacyDatabase, catalogDatabase));
  [legacy, roundingTwice, roundingOnce] = await Promise.all([
    start('legacy-monolith/dist/main.js'),
    start('extracted-services/catalog/dist/main.js', { CATALOG_ROUNDING: 'twice' }),
    start('extracted-services/catalog/dist/main.js', { CATALOG_ROUNDING: 'once' }),
  ]);
});

afterAll(async () => {
  await agent.close();
  await Promise.all(started.map((program) => program.stop()));
  for (const database of [legacyDatabase, catalogDatabase])
    await connection?.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection?.end();
  await rm(folder, { recursive: true, force: true });
});

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
};
type Asking = { readonly method?: 'GET' | 'HEAD'; readonly headers?: Readonly<Record<string, string>> };

const NOT_COMPARED = ['date', 'connection', 'keep-alive', 'x-served-by'];

/** The bytes a client gets, and every header but those that belong to the moment, to the connection or to who answered. */
async function ask(
  base: string,
  path: string,
  { method = 'GET', headers = {} }: Asking = {},
): Promise<Answer> {
  const response = await request(base + path, { method, headers, dispatcher: agent });
  const kept = Object.entries(response.headers).filter(([name]) => !NOT_COMPARED.includes(name));
  return {
    status: response.statusCode,
    headers: Object.fromEntries(kept),
    body: Buffer.from(await response.body.arrayBuffer()),
  };
}

type Difference = { readonly path: string; readonly legacy: Answer; readonly catalog: Answer };

/** Asks both for every path, a few at a time. Gives the differences and how often each status was answered. */
async function walk(
  catalog: string,
  paths: readonly string[],
  asking?: Asking,
): Promise<{ differences: Difference[]; statuses: Record<number, number> }> {
  const differences: Difference[] = [];
  const statuses: Record<number, number> = {};
  const queue = paths.values();
  const worker = async (): Promise<void> => {
    for (const path of queue) {
      const [theirs, ours] = await Promise.all([ask(legacy, path, asking), ask(catalog, path, asking)]);
      statuses[theirs.status] = (statuses[theirs.status] ?? 0) + 1;
      const sameHeads =
        theirs.status === ours.status && JSON.stringify(theirs.headers) === JSON.stringify(ours.headers);
      if (!sameHeads || !theirs.body.equals(ours.body))
        differences.push({ path, legacy: theirs, catalog: ours });
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return { differences, statuses };
}

/** Short enough for a failing test to be read. */
const shown = ({ path, ...sides }: Difference): string =>
  [
    path,
    ...[sides.legacy, sides.catalog].map(
      ({ status, headers, body }) => `${status} ${JSON.stringify(headers)} ${body.toString().slice(0, 200)}`,
    ),
  ].join('\n');

async function column(sql: string): Promise<(string | number | null)[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows.map((row) => Object.values(row)[0] as string | number | null);
}

const query = (parameters: Record<string, string | number>): string =>
  new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();

const SORTS = ['name', 'price', 'newest'];

async function productPaths(): Promise<string[]> {
  const ids = await column(`SELECT id FROM ${legacyDatabase}.product`);
  const perProduct = ['', '/related', '/price', '/rating', '/reviews', '/reviews?per_page=1&page=2'];
  return [...ids, 0, -1, 4_000_000, 99_999_999_999].flatMap((id) =>
    perProduct.map((rest) => `/api/products/${id}${rest}`),
  );
}

async function skuPaths(): Promise<string[]> {
  const skus = (await column(`SELECT sku FROM ${legacyDatabase}.product WHERE sku IS NOT NULL`)).map(String);
  const typed = [
    ...skus,
    ...skus.slice(0, 9).map((sku) => sku.toLowerCase()),
    'SH-00001 ',
    ' SH-00001',
    'none',
    'ö',
    '😀',
    "'",
  ];
  return typed.map((sku) => `/api/products/by-sku/${encodeURIComponent(sku)}`);
}

async function categoryPaths(): Promise<string[]> {
  const slugs = (await column(`SELECT slug FROM ${legacyDatabase}.category WHERE slug IS NOT NULL`)).map(
    String,
  );
  return [...slugs, 'KUECHE', 'küche', 'none', ' '].flatMap((slug) => {
    const path = `/api/categories/${encodeURIComponent(slug)}`;
    return [path, ...SORTS.map((sort) => `${path}/products?${query({ sort, per_page: 5, page: 1 })}`)];
  });
}

function listPaths(): string[] {
  const tags = [
    'küche',
    'kuche',
    'KÜCHE',
    'größe-l',
    'grosse-l',
    'made-in-germany',
    ' neu ',
    '%',
    '_',
    'a\\b',
    'ab_c',
    'absent',
    '',
  ];
  const searches = [
    'kanne',
    'KANNE',
    'Große',
    'grosse',
    'creme',
    'crème',
    '€',
    'SH-0001',
    '60 °C',
    '100%',
    '_',
    '\\',
    "'",
    'straße',
    'strasse',
    'Ålesund',
    'alesund',
    '😀',
    ' für ',
    '',
  ];
  const categories = ['kueche', 'Kueche', 'messer', 'ordnung', 'raeucherwerk', 'twin', 'none', ''];
  return [
    ...SORTS.flatMap((sort) =>
      [7, 20, 100].flatMap((per_page) =>
        Array.from({ length: Math.ceil(180 / per_page) }, (_, at) => query({ sort, per_page, page: at + 1 })),
      ),
    ),
    ...SORTS.flatMap((sort) => tags.map((tag) => query({ tag, sort, per_page: 100 }))),
    ...SORTS.flatMap((sort) => searches.map((q) => query({ q, sort, per_page: 100 }))),
    ...SORTS.flatMap((sort) => categories.map((category) => query({ category, sort, per_page: 50 }))),
    ...categories.flatMap((category) =>
      tags.slice(0, 8).flatMap((tag) => ['e', 'ü'].map((q) => query({ category, tag, q }))),
    ),
    'page=1000000&per_page=100',
    'unknown=1',
  ].map((text) => `/api/products?${text}`);
}

const BAD = [
  'page=0',
  'page=-1',
  'page=x',
  'page=1.5',
  'page=',
  'page=1000001',
  'page=1&page=2',
  'per_page=0',
  'per_page=101',
  'per_page=1e2',
  'per_page=NaN',
  'sort=bogus',
  'sort=',
  'sort=name&sort=price',
  `q=${'x'.repeat(81)}`,
  `tag=${'ü'.repeat(81)}`,
  `category=${'c'.repeat(121)}`,
  'q=a&q=b',
  'q[x]=1',
  'page=x&per_page=x&sort=x&q=a&q=b',
  'q=%E0%A4%A',
  'q=%00',
].map((text) => `/api/products?${text}`);

const BAD_PLACES = [
  ...['abc', '1.5', '1e3', '%201', '0x1', '9'.repeat(30), '9'.repeat(400), '%E0%A4%A', 'NaN'].flatMap(
    (id) => [
      `/api/products/${id}`,
      `/api/products/${id}/price`,
      `/api/products/${id}/related`,
      `/api/products/${id}/rating`,
      `/api/products/${id}/reviews`,
      `/api/reviews/${id}`,
    ],
  ),
  '/api/products/1/reviews?page=0',
  '/api/products/1/reviews?per_page=101',
  '/api/categories/kueche/products?sort=bogus&page=0',
  '/api/categories/%E0%A4%A',
];

async function everyPath(): Promise<string[]> {
  const reviews = await column(`SELECT id FROM ${legacyDatabase}.review`);
  return [
    ...(await productPaths()),
    ...(await skuPaths()),
    ...(await categoryPaths()),
    ...listPaths(),
    ...BAD,
    ...BAD_PLACES,
    ...[...reviews, 0, -1, 4_000_000].map((id) => `/api/reviews/${id}`),
    '/api/products',
    '/api/products/featured',
    '/api/categories',
    '/api/tags',
  ];
}

const isGross = (name: string): boolean => name === 'gross_price' || name === 'gross';
const withoutGross = (body: Buffer): string =>
  JSON.stringify(JSON.parse(body.toString(), (name, value: unknown) => (isGross(name) ? 'gross' : value)));

describe('the catalog service, beside the shop it came from', () => {
  it('answers every catalog and review route byte for byte alike when it rounds twice', async () => {
    const { differences, statuses } = await walk(roundingTwice, await everyPath());
    expect(
      differences.map(
        (d) =>
          d.path +
          '\n' +
          d.legacy.body.slice(0, 300) +
          JSON.stringify(d.legacy.headers) +
          '\n' +
          d.catalog.body.slice(0, 300) +
          JSON.stringify(d.catalog.headers),
      ),
    ).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['200', '400', '404']);
    expect(statuses[200]).toBeGreaterThan(1_000);
  });

  it('compresses the same answers, and knows the same entity tags', async () => {
    const paths = ['/api/products?per_page=100', '/api/products/1', '/api/tags', '/api/products/1/price'];
    const gzip = { headers: { 'accept-encoding': 'gzip' } };
    expect((await walk(roundingTwice, paths, gzip)).differences.map(shown)).toEqual([]);
    expect((await ask(roundingTwice, '/api/products?per_page=100', gzip)).headers['content-encoding']).toBe(
      'gzip',
    );
    const { etag } = (await ask(legacy, '/api/products/1')).headers;
    const known = { headers: { 'if-none-match': String(etag) } };
    expect(await walk(roundingTwice, ['/api/products/1'], known)).toEqual({
      differences: [],
      statuses: { 304: 1 },
    });
    expect((await walk(roundingTwice, paths, { method: 'HEAD' })).differences.map(shown)).toEqual([]);
  });

  it('differs in gross prices and in nothing else when it rounds once', async () => {
    const paths = (await productPaths()).filter((path) => /\/\d+(\/price)?$/.test(path));
    const { differences } = await walk(roundingOnce, paths);
    expect(differences.length).toBeGreaterThan(0);
    expect(differences.length).toBeLessThan(paths.length / 2);
    for (const difference of differences)
      expect(withoutGross(difference.catalog.body)).toBe(withoutGross(difference.legacy.body));
  });
});
