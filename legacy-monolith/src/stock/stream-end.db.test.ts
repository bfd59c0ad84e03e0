import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { openShop } from '../testing/open-shop.js';

it('the shop closes although somebody listens to the stream', async () => {
  const shop = await openShop();
  const stream = await new Promise<string>((resolve, reject) => {
    get(`${shop.url}/api/stock/stream`, (response) => {
      resolve(shop.close().then(() => text(response)));
    }).on('error', reject);
  });
  expect(stream).toMatch(/^: /);
});
