import type { Chapter } from '../story.js';

export const everythingOnLegacy: Chapter = {
  title: 'Everything is on legacy; the proxy stands in front and nobody notices',
  async run({ world, traffic, say, claim }) {
    const paths = [
      '/products',
      '/api/products?per_page=50',
      '/api/products/1',
      '/api/tags',
      '/login',
      '/api/openapi.json',
      '/not-there',
    ];
    for (const path of paths) {
      const [direct, proxied] = await Promise.all(
        [world.urls.shop, world.urls.proxy].map(async (base) => {
          const answer = await fetch(`${base}${path}`, { redirect: 'manual' });
          return {
            status: answer.status,
            type: answer.headers.get('content-type'),
            body: (await answer.text()).replaceAll(base, ''),
          };
        }),
      );
      // A page for a stranger carries a token of its own; what is around it must be equal.
      const withoutToken = (body = '') => body.replaceAll(/value="[0-9a-f]{16,}"/g, '');
      claim(
        `${path} answers the same through the proxy`,
        direct?.status === proxied?.status &&
          direct?.type === proxied?.type &&
          withoutToken(direct?.body) === withoutToken(proxied?.body),
      );
    }
    const evidence = await world.proxyEvidence();
    const served =
      evidence.migrations['catalog']?.routes.reduce((sum, route) => sum + route.served.service, 0) ?? 0;
    claim('no client has been sent to the service', served === 0);
    say(`${traffic.report().requests} requests so far, all answered by the monolith`);
  },
};
