import { createClient } from '../client.js';
import { activeProduct, orderBooks, stockBooks, writeStockBySql } from '../order-books.js';
import { logIn } from '../shop-visits.js';
import type { Chapter, Story } from '../story.js';
import { until } from '../until.js';

/** Waits for so many more acknowledged orders. */
export async function moreOrders({ traffic }: Story, count: number): Promise<readonly string[]> {
  const before = traffic.report().orders.length;
  await until(`${count} more orders`, 60_000, async () => traffic.report().orders.length >= before + count);
  return traffic.report().orders.slice(before);
}

export const bothHaveThem: Chapter = {
  title: 'Orders placed on the service appear in the monolith; who writes past the proxy is refused',
  async run(story) {
    const { world, traffic, say, claim } = story;
    const placed = await moreOrders(story, 5);
    const begin = performance.now();
    await until('the orders in the monolith', 10_000, async () => {
      const { shop } = await orderBooks(world);
      return placed.every((number) => shop.includes(number));
    });
    const { service } = await orderBooks(world);
    claim(
      'orders are placed on the service and come to the monolith',
      placed.every((number) => service.includes(number)),
    );
    say(
      `${placed.length} orders, all in the monolith's books ${(performance.now() - begin).toFixed(0)} ms later`,
    );

    const admin = createClient(world.urls.proxy);
    const csrf = await logIn(admin, traffic.send, 'admin@shop.test', 'admin');
    const refused = await writeStockBySql(world);
    claim('a SQL console is refused by the fence', refused.includes('FENCED:stock'), refused);
    // What the nightly job fills up.
    await traffic.send(admin, 'PUT', `/api/admin/stock/${await activeProduct(world)}`, {
      json: { on_hand: 2 },
      headers: { 'x-csrf-token': csrf },
    });
    await until('equal stock on both sides', 10_000, async () => {
      const { shop, service: theirs } = await stockBooks(world);
      return shop === theirs;
    });
    const nightly = await admin.send('POST', '/api/admin/jobs/nightly', {
      headers: { 'x-csrf-token': csrf },
    });
    claim(
      'the nightly job, which writes stock by SQL, is refused by the fence',
      nightly.status >= 500,
      `status ${nightly.status}`,
    );
    await until('equal stock on both sides', 10_000, async () => {
      const { shop, service: theirs } = await stockBooks(world);
      return shop === theirs;
    });
    claim('stock is the same on both sides', true);
  },
};
