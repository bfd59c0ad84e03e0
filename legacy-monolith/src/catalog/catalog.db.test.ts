import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { json } from '../testing/browser.js';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

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
    const browser = shop.stranger();
    const { total } = await json<ProductPage>(browser.get('/api/products?per_page=1'));
    const ids: number[] = [];
    for (let page = 1; page <= Math.ceil(total / 7); page++)
      ids.push(
        ...(await json<ProductPage>(browser.get(`/api/products?page=${page}&per_page=7`))).items.map(
          ({ id }) => id,
        ),
      );
    expect(new Set(ids).size).toBe(total);
    expect(ids).toHaveLength(total);
  });

  it('shows product 1 with the same category and price wherever it is asked for', async () => {
    const browser = shop.stranger();
    const product = await json<Product>(browser.get('/api/products/1'));
    expect(product).toMatchObject({
      id: 1,
      category: { slug: 'kueche' },
      tags: ['küche', 'geschenk', 'neu'],
    });
    expect(await json(browser.get('/api/products/by-sku/SH-00001'))).toEqual(product);
    const price = await json(browser.get('/api/products/1/price'));
    expect(price).toMatchObject({ product_id: 1, net: product.price, gross: product.gross_price });
    const { items } = await json<ProductPage>(browser.get('/api/categories/kueche/products?per_page=100'));
    expect(items).toContainEqual(product);
  });

  it('finds a tag whatever is around its comma', async () => {
    const browser = shop.stranger();
    const tags = await json<{ tag: string; count: number }[]>(browser.get('/api/tags'));
    expect(tags.length).toBeGreaterThan(5);
    for (const { tag, count } of tags) {
      const found = await json<ProductPage>(
        browser.get(`/api/products?per_page=100&tag=${encodeURIComponent(tag)}`),
      );
      expect([tag, found.total]).toEqual([tag, count]);
      for (const product of found.items) expect(product.tags).toContain(tag);
    }
  });

  it('hides drafts, what is gone, deleted or not visible', async () => {
    const rows = await shop.rows(
      `SELECT id FROM product WHERE deleted_at IS NOT NULL OR COALESCE(is_visible, 0) = 0
          OR COALESCE(status, 'gone') IN ('draft', 'gone')`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { id } of rows) {
      const answer = await json(shop.stranger().get(`/api/products/${id}`), 404);
      expect(answer).toEqual({ message: `Product ${id} not found`, error: 'Not Found', statusCode: 404 });
    }
  });

  it.each([
    '/api/products?page=0',
    '/api/products?per_page=101',
    '/api/products?sort=luck',
    '/api/products/one',
  ])('refuses %s', async (path) => {
    expect((await shop.stranger().get(path)).status).toBe(400);
  });

  it('says nothing about the session', async () => {
    const anonymous = await shop.stranger().get('/api/products/1');
    const known = await (await shop.customer()).get('/api/products/1');
    expect(anonymous.headers.getSetCookie()).toEqual([]);
    expect(known.headers.getSetCookie()).toEqual([]);
    expect(await known.text()).toBe(await anonymous.text());
  });
});
