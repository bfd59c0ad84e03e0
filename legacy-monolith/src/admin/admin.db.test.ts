import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { json, tokenOf } from '../testing/browser.js';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describe('an admin', () => {
  it('is not just anybody', async () => {
    const customer = await shop.customer();
    expect((await customer.get('/admin')).status).toBe(403);
    expect((await customer.json('DELETE', '/api/admin/products/1')).status).toBe(403);
    expect((await shop.stranger().get('/admin')).status).toBe(302);
  });

  it('edits a product in a page', async () => {
    const admin = await shop.admin();
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
    const product = await json(admin.get('/api/products/2'));
    expect(product).toMatchObject({
      name: 'Umbenannt',
      price: '10.00',
      discount_pct: null,
      tags: ['a', 'b'],
    });
  });

  it('creates, changes and deletes a product', async () => {
    const admin = await shop.admin();
    const fresh = {
      sku: 'SH-90001',
      name: 'Neu',
      price: '1.03',
      discount_pct: '5.0',
      tax_pct: '19.0',
      status: 'active',
    };
    const { id } = await json<{ id: number }>(admin.json('POST', '/api/admin/products', fresh), 201);
    expect(await json(admin.get(`/api/products/${id}`))).toMatchObject({ name: 'Neu', gross_price: 1.17 });
    await json(
      admin.json('PATCH', `/api/admin/products/${id}`, { manufacturer: 'Böhm & €', featured: true }),
    );
    const changed = await json(admin.get(`/api/products/${id}`));
    expect(changed).toMatchObject({ name: 'Neu', manufacturer: 'Böhm & €', featured: true });
    expect((await admin.json('PATCH', `/api/admin/products/${id}`, { manufacturer: '🙂' })).status).toBe(400);
    expect((await admin.json('DELETE', `/api/admin/products/${id}`)).status).toBe(204);
    expect((await admin.get(`/api/products/${id}`)).status).toBe(404);
  });

  it('uploads a file that everybody downloads, whole or in part', async () => {
    const admin = await shop.admin();
    const form = new FormData();
    form.set('file', new Blob(['Größe: 30 cm'], { type: 'text/plain' }), 'Maße.txt');
    const file = await json<{ path: string }>(
      admin.send('POST', '/api/admin/products/1/file', { body: form }),
      201,
    );
    expect(file).toMatchObject({ file_name: 'Maße.txt', mime: 'text/plain', bytes: 14 });

    const whole = await shop.stranger().get(file.path);
    expect(await whole.text()).toBe('Größe: 30 cm');
    expect(whole.headers.get('content-disposition')).toContain("filename*=UTF-8''Ma%C3%9Fe.txt");
    const etag = whole.headers.get('etag') ?? '';
    // Without a cache-control of its own fetch adds no-cache, and nothing is ever fresh.
    const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await shop.stranger().send('GET', file.path, { headers })).status).toBe(304);
    const part = await shop.stranger().send('GET', file.path, { headers: { range: 'bytes=0-2' } });
    expect([part.status, await part.text()]).toEqual([206, 'Gr\uFFFD']);
    expect((await shop.stranger().get('/files/999')).status).toBe(404);
  });

  it('runs the nightly job, which writes past the services', async () => {
    const admin = await shop.admin();
    const { run, note } = await json<{ run: number; note: string }>(
      admin.json('POST', '/api/admin/jobs/nightly'),
    );
    const rows = await shop.rows('SELECT note, finished FROM job_run WHERE id = ?', [run]);
    expect(rows).toEqual([{ note, finished: expect.any(Date) }]);
    expect(note).toMatch(/^prices \d+, refilled \d+, reservations \d+, sessions 0$/);
  });
});
