import { advanceWhenReady } from '../operator.js';
import type { Chapter } from '../story.js';

export const repaired: Chapter = {
  title: 'The bug is repaired by configuration; clean comparisons open the gate to the canary',
  async run({ world, measured, say, claim }) {
    await world.stopCatalog();
    await world.startCatalog('twice');
    say('the service runs again with CATALOG_ROUNDING=twice');
    const { gates } = await advanceWhenReady(world, 90_000, '--to', 'canary');
    for (const { gate, detail } of gates) say(`gate "${gate}" is met: ${detail}`);
    const evidence = (await world.proxyEvidence()).migrations['catalog'];
    measured.mismatchesFound =
      evidence?.routes.reduce((sum, route) => sum + route.comparisons.mismatch, 0) ?? 0;
    claim('the canary begins at 10 %', evidence?.phase === 'canary' && evidence.share.configured === 10);
  },
};
