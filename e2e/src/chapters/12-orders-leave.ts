import { operatorOf, whenReady } from '../operator.js';
import type { Chapter } from '../story.js';

export const ordersLeave: Chapter = {
  title: 'The writes change sides while customers order: a cutover',
  async run({ world, traffic, measured, say, claim }) {
    const operator = operatorOf(world, 'orders');
    const without = await operator.cutover();
    claim(
      'without fences nothing moves',
      without.code === 3 && without.gates.some(({ gate, met }) => gate === 'fences' && !met),
      JSON.stringify(without),
    );
    const fences = await world.strangler('fence', 'install', 'orders');
    claim('fences stand in both databases', fences.code === 0, fences.err);
    say(fences.out.trim().split('\n').at(-1) ?? '');
    // It writes stock by SQL, past every proxy.
    traffic.withoutNightly();
    const rehearsed = await whenReady(60_000, () => operator.cutover('--dry-run'));
    for (const step of rehearsed.steps) say(step);
    const before = traffic.report();
    const moved = await whenReady(60_000, () => operator.cutover());
    measured.heldMs.push(moved.heldMs ?? Number.NaN);
    claim('the service has the writes', moved.to === 'extracted');
    for (const step of moved.steps) say(step);
    const since = traffic.report();
    claim(
      'no request failed',
      since.failed === before.failed,
      since.failures.slice(before.failed).join('\n'),
    );
    say(`writes were held for ${moved.heldMs} ms; the command took ${moved.milliseconds.toFixed(0)} ms`);
  },
};
