import { operatorOf, whenReady } from '../operator.js';
import { orderBooks } from '../order-books.js';
import type { Chapter } from '../story.js';
import { verify } from './03-verify.js';
import { moreOrders } from './13-both-have-them.js';

export const ordersComeBack: Chapter = {
  title: 'The writes come back, with every order placed meanwhile',
  async run(story) {
    const { world, traffic, measured, say, claim } = story;
    const operator = operatorOf(world, 'orders');
    const before = traffic.report();
    const back = await whenReady(60_000, () => operator.rollback('--why', 'shown in the demo'));
    measured.heldMs.push(back.heldMs ?? Number.NaN);
    const orders = traffic.report().orders.slice(0, before.orders.length);
    const { shop } = await orderBooks(world);
    claim(
      'every order that was acknowledged before is in the monolith',
      orders.every((number) => shop.includes(number)),
    );
    const placed = await moreOrders(story, 3);
    const { shop: after } = await orderBooks(world);
    claim(
      'orders are placed on the monolith again',
      placed.every((number) => after.includes(number)),
    );
    claim(
      'no request failed',
      traffic.report().failed === before.failed,
      traffic.report().failures.join('\n'),
    );
    await verify(story, 'orders');
    say(`writes were held for ${back.heldMs} ms`);
  },
};
