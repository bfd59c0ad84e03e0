import { afterEach, describe, expect, it } from '@jest/globals';
import { testerToken } from '@strangler/contracts';
import { createRig, rawExchange, SECRET } from './proxy.fixture.js';

const rig = createRig();
afterEach(() => rig.clean());

/** Every route is extracted: what reaches legacy has been matched to none. */
async function extracted(setup: { readonly routes?: readonly unknown[]; readonly paths?: object }) {
  const seen = { legacy: [] as string[], service: [] as string[] };
  const answering = async (side: 'legacy' | 'service') =>
    (
      await rig.server((request, response) => {
        seen[side].push(`${request.method} ${request.url}`);
        response.end(side);
      })
    ).url;
  const proxy = await rig.migration({
    legacy: await answering('legacy'),
    service: await answering('service'),
    phase: 'extracted',
    routes: setup.routes ?? ['* /*'],
    proxy: { paths: setup.paths },
  });
  const raw = (target: string, headers = 'Host: shop.test\r\n', method = 'GET') =>
    rawExchange(proxy.url, `${method} ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
  return { ...proxy, seen, raw };
}

const AMBIGUOUS = [
  '/items%2f7',
  '/items%5c7',
  '/items\\7',
  '//items/7',
  '/items//7',
  '/items;v=1/7',
  '/items%3bv=1',
  '/x/../items/7',
  '/x/%2e%2E/items/7',
  '/items/./7',
  '/items/.%2e',
  '/%69tems/7',
  '/items/%00',
  '/items/%zz',
  '/items/%',
  '/items/%ff',
  '/items/%252e',
  '/items/7#x',
  // What a server makes "/items/7" of, by decoding, by normalising, or by leaving something out.
  '/items/..%2f7',
  '/items/%2e%2e%2f7',
  '/items/..%5c7',
  '/items/%c0%ae%c0%ae/7',
  '/items/%e0%80%af7',
  '/items/%u002f7',
  '/items/7%00.html',
  '/items/7%0a',
  '/items/7%0d%0aX-Injected:%201',
  '/items/7%09',
  '/items/7%7f',
  '/items/%25%32%66',
  '/items/7;jsessionid=1',
  '/items/7/..;/8',
  '/./items/7',
  '/../items/7',
  '/items/../items/7',
  '/items/7/.',
  '/items/7/..',
  '/items\\..\\7',
  '///items/7',
  '/items/7//',
  '/%2fitems/7',
  '/items%3f/7',
  '/items%23/7',
  '/item%73/7',
  '/items/%37',
  '/items/7%2e',
];

describe('an ambiguous path', () => {
  it.each(['GET', 'POST'])(
    'goes to legacy byte for byte with %s, though a route takes everything',
    async (method) => {
      const { raw, seen } = await extracted({});
      for (const path of AMBIGUOUS) expect(await raw(`${path}?q=%2f`, undefined, method)).toMatch(/legacy$/);
      expect(seen.legacy).toEqual(AMBIGUOUS.map((path) => `${method} ${path}?q=%2f`));
      expect(await raw('/items/7')).toMatch(/service$/);
      expect(seen.service).toEqual(['GET /items/7']);
    },
  );

  it('goes to legacy in the form of a URL, too', async () => {
    const { raw, seen } = await extracted({});
    expect(await raw('http://shop.test//items/7')).toMatch(/legacy$/);
    expect(seen.legacy).toEqual(['GET //items/7']);
  });

  it('is refused when the plan says so, and reaches nobody', async () => {
    const { raw, seen } = await extracted({ paths: { ambiguous: 'refuse' } });
    for (const path of AMBIGUOUS) {
      const answer = await raw(path);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"PROXY_PATH_AMBIGUOUS"');
    }
    const upgrade = await raw('/socket//x', 'Host: a\r\nUpgrade: websocket\r\n');
    expect(upgrade).toContain('PROXY_PATH_AMBIGUOUS');
    expect(await raw('/items/caf%C3%A9')).toMatch(/service$/);
    expect(seen).toEqual({ legacy: [], service: ['GET /items/caf%C3%A9'] });
  });

  it('is refused on a connection that asked for an upgrade', async () => {
    const { url } = await extracted({ paths: { ambiguous: 'refuse' } });
    const answer = await rawExchange(
      url,
      'GET /socket//x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*PROXY_PATH_AMBIGUOUS/);
  });
});

describe('a header that the proxy writes', () => {
  it('gets no line out of a path, a query, a cookie or a host', async () => {
    const legacy = await rig.server((_request, response) => void response.end('legacy'));
    const proxy = await rig.migration({
      legacy: legacy.url,
      service: legacy.url,
      phase: 'canary',
      share: 100,
      routes: ['GET /items/:id'],
      proxy: { testers: { header: 'x-strangler-tester' } },
    });
    const tester = testerToken(SECRET, {
      name: 'tess',
      side: 'service',
      migration: '*',
      expiresAt: Date.now() + 60_000,
    });
    const payload = '%0d%0aSet-Cookie:%20injected=1';
    for (const [target, headers] of [
      [`/items/x?q=${payload}`, ''],
      [`/items/x`, `X-Strangler-Tester: ${tester}\r\n`],
      [`/items/x?${payload}`, `X-Strangler-Tester: ${tester}\r\n`],
      [`/items/x`, `Cookie: strangler_id=${payload}.x; strangler_pin_catalog=${payload}\r\n`],
      [`/items/x`, `Cookie: strangler_id="a\tSet-Cookie: injected=1".x\r\n`],
      [`/items${payload}`, ''],
    ] as const) {
      const answer = await rawExchange(
        proxy.url,
        `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).not.toMatch(/injected/);
    }
  });
});

describe('the reading of paths', () => {
  it('is byte for byte when the plan says nothing', async () => {
    const { raw, seen } = await extracted({ routes: ['GET /items'] });
    for (const path of ['/Items', '/items/', '/ITEMS/']) expect(await raw(path)).toMatch(/legacy$/);
    expect(seen.service).toEqual([]);
  });

  it('can take case and a last slash for nothing; the bytes go on as they came', async () => {
    const { raw, seen } = await extracted({
      routes: ['GET /items', 'GET /Shop/:id'],
      paths: { case: 'insensitive', trailingSlash: 'same' },
    });
    const paths = ['/Items', '/items/', '/ITEMS/?Q=A', '/sHOP/Ab'];
    for (const path of paths) expect(await raw(path)).toMatch(/service$/);
    expect(seen.service).toEqual(paths.map((path) => `GET ${path}`));
    expect(await raw('/items//')).toMatch(/legacy$/);
  });
});

describe('a route with conditions', () => {
  const routes = [
    {
      match: 'GET /items',
      when: { host: '*.shop.test', header: { 'x-beta': '1' }, query: { v: '2' }, cookie: { lab: true } },
    },
  ];

  it('takes the requests that fulfil all of them, on the wire', async () => {
    const { raw } = await extracted({ routes });
    const all = 'Host: de.shop.test:80\r\nX-Beta: 1\r\nCookie: lab=x\r\n';
    expect(await raw('/items?v=2', all)).toMatch(/service$/);
    for (const [target, headers] of [
      ['/items?v=1', all],
      ['/items', all],
      ['/items?v=2', all.replace('de.shop', 'shop')],
      ['/items?v=2', all.replace('X-Beta: 1', 'X-Beta: 2')],
      ['/items?v=2', all.replace('lab', 'labs')],
      ['/items?v=2', all.replace('X-Beta: 1', 'X-Beta: 1\r\nX-Beta: 2')],
      // A header named by Connection ends here, so the service could not see it.
      ['/items?v=2', `${all}Connection: X-Beta\r\n`],
    ] as const)
      expect(await raw(target, headers)).toMatch(/legacy$/);
  });

  it('takes the host of a target in the form of a URL, not the one of the header', async () => {
    const { raw } = await extracted({ routes: [{ match: 'GET /items', when: { host: 'a.test' } }] });
    expect(await raw('http://a.test/items', 'Host: b.test\r\n')).toMatch(/service$/);
    expect(await raw('http://b.test/items', 'Host: a.test\r\n')).toMatch(/legacy$/);
  });

  it('is explained by the same rules, and counted under its own name', async () => {
    const proxy = await extracted({ routes: [...routes, 'GET /items'] });
    const explain = async (question: string) =>
      ((await (await fetch(`${proxy.admin}/explain?path=${question}`)).json()) as { route: string | null })
        .route;
    const name = 'GET /items when cookie lab, header x-beta=1, host *.shop.test, query v=2';
    expect(await explain('/items')).toBe('GET /items');
    expect(
      await explain(
        `${encodeURIComponent('/items?v=2')}&header.Host=a.shop.test&header.x-beta=1&cookie.lab=x`,
      ),
    ).toBe(name);
    await proxy.raw('/items?v=2', 'Host: a.shop.test\r\nX-Beta: 1\r\nCookie: lab=x\r\n');
    const { migrations } = await proxy.evidence();
    expect(migrations['catalog']?.routes.map(({ route, served }) => [route, served.service])).toEqual([
      [name, 1],
      ['GET /items', 0],
    ]);
  });
});
