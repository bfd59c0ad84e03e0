import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Environment } from './environment.js';
import { migrate } from './schema/migrate.js';
import { type Service, startService } from './service.js';
import { catalogDatabase, type CatalogDatabase } from './testing/catalog-database.js';
import { countQueries } from './testing/query-counter.js';

const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';

const ROWS = `
INSERT INTO category VALUES (1, NULL, 'Küche', 'kueche', 1, FALSE), (2, 1, 'Messer', 'messer', 2, FALSE), (3, 1, 'Zu', 'zu', 3, TRUE);
INSERT INTO product (id, category_id, sku, title, description, manufacturer, price_minor, currency, discount_pct, tax_pct,
  status, visible, featured, image_file, created_at, modified_at, deleted_at) VALUES
  (1, 2, 'A-1', 'Äpfelschäler', 'Schält.', 'Böhm', 103, 'EUR', 5.0, 19.0, 'sold-out', TRUE, TRUE, 'a.jpg', '2026-07-01 22:30:00', '2026-01-15 12:00:00', NULL),
  (2, 2, 'A-2', 'apfel', NULL, NULL, NULL, 'EUR', NULL, NULL, 'active', TRUE, FALSE, NULL, NULL, NULL, NULL),
  (3, 3, 'A-3', 'Birne 100%', NULL, NULL, 200, 'EUR', 0.0, 0.0, 'active', TRUE, FALSE, NULL, NULL, NULL, NULL),
  (4, 1, 'A-4', 'Entwurf', NULL, NULL, 200, 'EUR', 0.0, 0.0, 'draft', TRUE, TRUE, NULL, NULL, NULL, NULL),
  (5, 1, 'A-5', 'Verborgen', NULL, NULL, 200, 'EUR', 0.0, 0.0, 'active', FALSE, TRUE, NULL, NULL, NULL, NULL),
  (6, 1, 'A-6', 'Gelöscht', NULL, NULL, 200, 'EUR', 0.0, 0.0, 'active', TRUE, TRUE, NULL, NULL, NULL, '2026-01-01 00:00:00'),
  (7, 99, 'A-7', 'Namenlos', NULL, NULL, 200, 'EUR', 0.0, 0.0, NULL, TRUE, TRUE, NULL, NULL, NULL, NULL);
INSERT INTO product_tag VALUES (1, 0, 'neu'), (1, 1, 'küche'), (2, 0, 'Neu'), (3, 0, 'neu'), (4, 0, 'neu');
INSERT INTO review (id, product_id, customer_id, author_name, rating, title, body, approved, created_at, deleted) VALUES
  (1, 1, 7, 'Ü. M.', 5, 'Gut', '👍', TRUE, '2026-07-01 22:30:00', FALSE),
  (2, 1, NULL, NULL, 4, NULL, NULL, TRUE, '2026-07-02 22:30:00', FALSE),
  (3, 1, 7, 'W', 1, 'x', 'y', FALSE, NULL, FALSE), (4, 1, 7, 'W', 1, 'x', 'y', TRUE, NULL, TRUE);
`;

let database: CatalogDatabase;
let service: Service;
const environment = (changes: Partial<Environment> = {}): Environment => ({
  databaseUrl: database.url,
  host: '127.0.0.1',
  port: 0,
  timezone: 'Europe/Berlin',
  rounding: 'once',
  ...changes,
});

async function get(path: string, base = service.url): Promise<{ status: number; body: unknown }> {
  const response = await fetch(base + path);
  return { status: response.status, body: await response.json() };
}
const idsAt = async (path: string): Promise<number[]> =>
  ((await get(path)).body as { items: { id: number }[] }).items.map(({ id }) => id);

beforeAll(async () => {
  database = await catalogDatabase(SERVER);
  await migrate(database.url);
  await database.query(`USE ${database.name}; ${ROWS}`);
  service = await startService(environment());
});

afterAll(async () => {
  await service?.close();
  await database.drop();
});

describe('the catalog service', () => {
  it('says its model in the words of the shop: names, local times, decimal prices, old statuses', async () => {
    expect(await get('/api/products/1')).toEqual({
      status: 200,
      body: {
        id: 1,
        sku: 'A-1',
        name: 'Äpfelschäler',
        description: 'Schält.',
        manufacturer: 'Böhm',
        category: { id: 2, name: 'Messer', slug: 'messer' },
        tags: ['neu', 'küche'],
        status: 'sold_out',
        featured: true,
        price: '1.03',
        discount_pct: 5,
        tax_pct: 19,
        gross_price: 1.16,
        currency: 'EUR',
        image: 'a.jpg',
        created: '2026-07-02 00:30:00',
        modified: '2026-01-15 13:00:00',
      },
    });
  });

  it('charges what the shop charges when it is told to round twice', async () => {
    const repaired = await startService(environment({ rounding: 'twice' }));
    expect((await get('/api/products/1/price', repaired.url)).body).toMatchObject({ gross: 1.17 });
    await repaired.close();
    expect((await get('/api/products/1/price')).body).toMatchObject({ gross: 1.16 });
  });

  it.each([
    ['a draft', 4],
    ['a hidden product', 5],
    ['a deleted product', 6],
    ['a product without a status', 7],
    ['no product', 8],
  ])('does not know %s', async (_, id) => {
    const body = { message: `Product ${id} not found`, error: 'Not Found', statusCode: 404 };
    for (const rest of ['', '/related', '/price', '/reviews', '/rating'])
      expect(await get(`/api/products/${id}${rest}`)).toEqual({ status: 404, body });
  });

  it('keeps a product whose category is deleted, without the category', async () => {
    expect((await get('/api/products/3')).body).toMatchObject({ category: null, tags: ['neu'] });
    expect(await idsAt('/api/products?category=zu')).toEqual([]);
  });

  it('sorts by the letters of the shop, by price with none first, and every order to its end', async () => {
    expect(await idsAt('/api/products?sort=name')).toEqual([2, 1, 3]);
    expect(await idsAt('/api/products?sort=price')).toEqual([2, 1, 3]);
    expect(await idsAt('/api/products?sort=newest')).toEqual([1, 3, 2]);
    expect(await idsAt('/api/products?sort=newest&per_page=1&page=2')).toEqual([3]);
  });

  it('finds tags and texts whatever their case and accents, and takes no wildcard from outside', async () => {
    expect(await idsAt('/api/products?tag=NEU')).toEqual([2, 1, 3]);
    expect(await idsAt('/api/products?tag=kuche')).toEqual([1]);
    expect(await idsAt('/api/products?tag=n%25')).toEqual([]);
    expect(await idsAt('/api/products?q=apfel')).toEqual([2, 1]);
    expect(await idsAt('/api/products?q=0%25')).toEqual([3]);
    expect(await idsAt('/api/products?q=_')).toEqual([]);
  });

  it('counts tags as they are written, the most used first', async () => {
    expect((await get('/api/tags')).body).toEqual([
      { tag: 'neu', count: 2 },
      { tag: 'Neu', count: 1 },
      { tag: 'küche', count: 1 },
    ]);
  });

  it('shows a category with its place in the tree', async () => {
    expect((await get('/api/categories/messer')).body).toEqual({
      id: 2,
      name: 'Messer',
      slug: 'messer',
      parent_id: 1,
      sort_order: 2,
      product_count: 2,
      parent: { id: 1, name: 'Küche', slug: 'kueche' },
      children: [],
    });
    expect((await get('/api/categories/zu')).status).toBe(404);
  });

  it('shows approved reviews, the newest first, and what they come to', async () => {
    const reviews = (await get('/api/products/1/reviews')).body as { items: unknown[]; total: number };
    expect(reviews.total).toBe(2);
    expect(reviews.items[1]).toEqual({
      id: 1,
      product_id: 1,
      author_name: 'Ü. M.',
      rating: 5,
      title: 'Gut',
      body: '👍',
      created: '2026-07-02 00:30:00',
    });
    expect((await get('/api/products/1/rating')).body).toEqual({
      product_id: 1,
      count: 2,
      average: 4.5,
      distribution: { '1': 0, '2': 0, '3': 0, '4': 1, '5': 1 },
    });
    expect((await get('/api/reviews/3')).status).toBe(404);
    expect((await get('/api/reviews/4')).status).toBe(404);
  });

  it('refuses a bad parameter with what is wrong with it', async () => {
    expect(await get('/api/products?page=0&sort=bogus')).toEqual({
      status: 400,
      body: {
        message: [
          'page must not be less than 1',
          'sort must be one of the following values: name, price, newest',
        ],
        error: 'Bad Request',
        statusCode: 400,
      },
    });
    expect((await get('/api/products/one')).status).toBe(400);
  });

  it('asks the database as often for a hundred products as for one, but for the count', async () => {
    const counter = await countQueries(database.url);
    const counted = await startService(environment({ databaseUrl: counter.url }));
    const queriesFor = async (path: string): Promise<number> => {
      const before = counter.count();
      expect((await get(path, counted.url)).status).toBe(200);
      return counter.count() - before;
    };
    try {
      const forOne = await queriesFor('/api/products/1');
      expect(forOne).toBeGreaterThan(0);
      expect(await queriesFor('/api/products?per_page=100')).toBe(forOne + 1);
      expect(await queriesFor('/api/products/featured')).toBe(forOne);
    } finally {
      await counted.close();
      await counter.close();
    }
  });

  it('names itself in every answer, errors included', async () => {
    for (const path of ['/api/products/1', '/api/products/0', '/api/products?page=0', '/health/live'])
      expect((await fetch(service.url + path)).headers.get('x-served-by')).toBe('catalog');
  });

  it('describes its routes', async () => {
    const { body } = await get('/api/openapi.json');
    expect(Object.keys((body as { paths: object }).paths)).toContain('/api/products/{id}/rating');
  });
});

describe('its health', () => {
  it('is ready when the database answers and every migration has run', async () => {
    expect(await get('/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await get('/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'ok', details: { database: { status: 'up' } } },
    });
  });

  it('is alive but not ready when a migration is missing', async () => {
    await database.query('UPDATE schema_migration SET name = CONCAT(name, "-other")');
    try {
      expect(await get('/health/ready')).toMatchObject({
        status: 503,
        body: {
          details: {
            database: { status: 'down', message: 'migrations have not run: CreateCatalog1760000000000' },
          },
        },
      });
      expect((await get('/health/live')).status).toBe(200);
    } finally {
      await database.query('UPDATE schema_migration SET name = REPLACE(name, "-other", "")');
    }
  });

  it('is not ready when the database is gone, and ready again when it is back', async () => {
    const other = await catalogDatabase(SERVER);
    await migrate(other.url);
    const lonely = await startService(environment({ databaseUrl: other.url }));
    try {
      await other.query(`DROP DATABASE ${other.name}`);
      expect((await get('/health/ready', lonely.url)).status).toBe(503);
      await migrate(other.url);
      expect((await get('/health/ready', lonely.url)).status).toBe(200);
    } finally {
      await lonely.close();
      await other.drop();
    }
  });
});
