import { get } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openShop, type OpenShop } from '../testing/open-shop.js';

let shop: OpenShop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** Reads the stream until it has `count` blocks; `started` is called with the first. */
function blocks(count: number, started: () => void): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip' };
    const request = get(`${shop.url}/api/stock/stream`, { headers }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        if (received === '') started();
        received += chunk;
        if (received.split('\n\n').length <= count) return;
        request.destroy();
        resolve(received.split('\n\n').slice(0, count));
      });
    });
    request.on('error', reject);
  });
}

it('the stream tells every change of stock, uncompressed and at once', async () => {
  const admin = await shop.admin();
  const change = () => void admin.json('PUT', '/api/admin/stock/4', { on_hand: 77 });
  const [comment, event = ''] = await blocks(2, change);
  expect(comment).toMatch(/^:/);
  expect(event).toMatch(/^event: stock\ndata: /);
  expect(JSON.parse(event.split('data: ')[1] ?? '')).toMatchObject({ product_id: 4, on_hand: 77 });
});
