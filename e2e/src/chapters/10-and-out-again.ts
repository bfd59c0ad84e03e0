import { createClient } from '../client.js';
import { advanceWhenReady } from '../operator.js';
import { isFromService } from '../served-by.js';
import type { Chapter } from '../story.js';
import { verify } from './03-verify.js';

export const andOutAgain: Chapter = {
  title: 'And out again, all the way',
  async run(story) {
    const { world, traffic, measured, say, claim } = story;
    await advanceWhenReady(world, 60_000, '--to', 'canary');
    await advanceWhenReady(world, 60_000);
    await advanceWhenReady(world, 60_000);
    const client = createClient(world.urls.proxy);
    claim(
      'the catalog is served by the service',
      isFromService(await traffic.send(client, 'GET', '/api/tags')),
    );
    const further = await world.strangler('advance', 'catalog', '--by', 'demo', '--json');
    claim('no advance moves writes: that takes a cutover', further.code !== 0);
    await verify(story);
    const sync = (await world.syncEvidence()).migrations['catalog'];
    measured.lagMsP99 = Math.round(sync?.lagMsP99 ?? Number.NaN);
    claim('the lag is known', Number.isFinite(measured.lagMsP99));
    say(
      `lag at the 99th percentile ${measured.lagMsP99} ms, ${sync?.applied.transactions} transactions with ${sync?.applied.rows} rows applied`,
    );
  },
};
