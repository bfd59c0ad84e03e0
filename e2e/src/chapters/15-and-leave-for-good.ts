import { operatorOf, whenReady } from '../operator.js';
import type { Chapter } from '../story.js';
import { verify } from './03-verify.js';
import { moreOrders } from './13-both-have-them.js';

export const andLeaveForGood: Chapter = {
  title: 'A second cutover, and the capability is retired',
  async run(story) {
    const { world, measured, say, claim } = story;
    const operator = operatorOf(world, 'orders');
    const moved = await whenReady(60_000, () => operator.cutover());
    measured.heldMs.push(moved.heldMs ?? Number.NaN);
    claim('the service has the writes again', moved.to === 'extracted');
    await moreOrders(story, 3);
    await verify(story, 'orders');
    const retired = await whenReady(60_000, async () => {
      const result = await world.strangler('retire', 'orders', '--by', 'demo', '--json');
      return {
        ...(JSON.parse(result.out) as typeof moved & { checklist: readonly string[] }),
        code: result.code,
      };
    });
    claim('the migration is retired', retired.to === 'retired');
    for (const line of retired.checklist) say(`may go now: ${line}`);
    await moreOrders(story, 2);
  },
};
