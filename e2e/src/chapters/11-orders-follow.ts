import { createClient } from '../client.js';
import { operatorOf, whenReady } from '../operator.js';
import { logIn } from '../shop-visits.js';
import type { Chapter, Story } from '../story.js';
import { until } from '../until.js';
import { verify } from './03-verify.js';

const CUSTOMERS = 4;
const PATIENCE_MS = 120_000;

/** Customers who look at their orders and at what is left, so that both sides are asked the same often enough. */
async function lookAround({ world, traffic }: Story, signal: AbortSignal): Promise<void> {
  await Promise.all(
    Array.from({ length: CUSTOMERS }, async (_, index) => {
      const number = index + 1;
      const client = createClient(world.urls.proxy);
      await logIn(client, traffic.send, `customer${number}@shop.test`, `secret${number}`);
      for (let product = 1; !signal.aborted; product = 1 + (product % 40)) {
        const orders = (await traffic.send(client, 'GET', '/api/orders')).json() as { order_no: string }[];
        for (const { order_no } of orders.slice(0, 2))
          await traffic.send(client, 'GET', `/api/orders/${order_no}`);
        await traffic.send(client, 'GET', `/api/stock/${product}`);
        await new Promise((done) => setTimeout(done, 40));
      }
    }),
  );
}

export const ordersFollow: Chapter = {
  title: 'Stock and orders follow: copied, verified, compared, and read from their service',
  async run(story) {
    const { world, say, claim } = story;
    const operator = operatorOf(world, 'orders');
    const advance = (...options: string[]) => whenReady(PATIENCE_MS, () => operator.advance(...options));
    await advance('--to', 'syncing');
    await until('the copy of stock and orders', PATIENCE_MS, async () => {
      const sync = (await world.syncEvidence()).migrations['orders'];
      if (sync?.problem) throw new Error(sync.problem);
      return sync?.state === 'tailing';
    });
    await verify(story, 'orders');
    await advance('--to', 'shadow');
    const looking = new AbortController();
    const customers = lookAround(story, looking.signal);
    try {
      const { gates } = await advance('--to', 'canary');
      say(gates.find(({ gate }) => gate === 'comparisons')?.detail ?? '');
      await advance();
      await advance();
    } finally {
      looking.abort();
      await customers;
    }
    const phase = (await world.proxyEvidence()).migrations['orders'];
    claim(
      'orders are read from the service, and still written to the monolith',
      phase?.phase === 'canary' && phase.share.configured === 100,
    );
  },
};
