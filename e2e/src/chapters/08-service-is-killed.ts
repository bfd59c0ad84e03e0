import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../client.js';
import { isFromService } from '../served-by.js';
import type { Chapter } from '../story.js';
import { until } from '../until.js';

const fallbacksOf = (evidence: {
  migrations: Readonly<
    Record<string, { routes: readonly { served: { legacy: number; fallback: number } }[] }>
  >;
}) =>
  evidence.migrations['catalog']?.routes.reduce(
    (sum, route) => sum + route.served.fallback + route.served.legacy,
    0,
  ) ?? 0;

export const serviceIsKilled: Chapter = {
  title: 'The service is killed; users see no error',
  async run({ world, traffic, say, claim }) {
    const before = { ...traffic.report(), legacy: fallbacksOf(await world.proxyEvidence()) };
    await world.killCatalog();
    await sleep(4_000);
    const after = { ...traffic.report(), legacy: fallbacksOf(await world.proxyEvidence()) };
    claim('requests went on', after.requests > before.requests + 20);
    claim('no user saw an error', after.failed === before.failed, after.failures.join('\n'));
    claim('the monolith answered in its place', after.legacy > before.legacy);
    say(
      `${after.requests - before.requests} requests while the service was dead, none failed; ${after.legacy - before.legacy} answers came from the monolith instead`,
    );
    await world.startCatalog('twice');
    const client = createClient(world.urls.proxy);
    await until('traffic on the service again', 15_000, async () =>
      isFromService(await traffic.send(client, 'GET', '/api/tags')),
    );
    say('the service is back and has its clients again');
  },
};
