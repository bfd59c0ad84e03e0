import { createClient } from '../client.js';
import { operatorOf } from '../operator.js';
import { isFromService } from '../served-by.js';
import type { Chapter } from '../story.js';

export const rollback: Chapter = {
  title: 'Everything goes back to the monolith by one command, in under a second',
  async run({ world, traffic, measured, atOnceMs, say, claim }) {
    const client = createClient(world.urls.proxy);
    let lastFromService = 0;
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        if (isFromService(await traffic.send(client, 'GET', '/api/categories')))
          lastFromService = performance.now();
        await new Promise((done) => setTimeout(done, 5));
      }
    })();
    const begin = performance.now();
    const result = await operatorOf(world).rollback('--why', 'shown in the demo');
    await new Promise((done) => setTimeout(done, 1_000));
    watching.abort();
    await watch;
    measured.rollbackMs = Math.round(lastFromService - begin);
    claim('the command succeeded', result.code === 0 && result.to === 'shadow');
    claim(
      'the service had its last request within a second of the command',
      measured.rollbackMs < atOnceMs,
      `${measured.rollbackMs} ms`,
    );
    say(
      `last answer of the service ${measured.rollbackMs} ms after the command was typed (the command itself took ${result.milliseconds.toFixed(0)} ms)`,
    );
  },
};
