import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { json } from '../testing/browser.js';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

it('a review is in the lists and in the rating once an admin approved it', async () => {
  const customer = await shop.customer();
  const admin = await shop.admin();
  const count = async () => (await json<{ count: number }>(customer.get('/api/products/1/rating'))).count;
  const before = await count();
  const text = { rating: 5, title: 'Größer 🙂', body: 'Très bien, 5 € wert' };
  const { id } = await json<{ id: number }>(customer.json('POST', '/api/products/1/reviews', text), 201);
  expect((await customer.get(`/api/reviews/${id}`)).status).toBe(404);
  expect(await count()).toBe(before);
  await json(admin.json('POST', `/api/admin/reviews/${id}/approve`));
  expect(await json(customer.get(`/api/reviews/${id}`))).toMatchObject(text);
  expect(await count()).toBe(before + 1);
});
