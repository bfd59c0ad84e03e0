import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fakeStateSubscription } from '@strangler/contracts';
import { closedUrl, createRig, eventually, parse, stateOf } from './proxy.fixture.js';
import { TOKEN, unleashServer } from './unleash-server.fixture.js';
import { serverFlags } from './unleash-server.js';

const rig = createRig();
afterEach(rig.clean);

const FLAG = 'strangler.catalog';
const anna = { kind: 'user' as const, id: 'anna' };

async function flagsOf(url: string, more: { backup?: string; token?: string; metricsMs?: number } = {}) {
  const lines: string[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const server = {
    url,
    token: more.token ?? TOKEN,
    appName: 'shop-proxy',
    environment: 'development',
    refreshMs: 100,
  };
  const flags = serverFlags({ server, log, backup: more.backup, metricsMs: more.metricsMs ?? 60_000 });
  rig.own(() => flags.stop());
  await flags.start();
  return { flags, lines };
}

describe('an Unleash server', () => {
  it('is asked for changes only, and they come into force', async () => {
    const server = await unleashServer(rig, 100);
    const { flags } = await flagsOf(server.url);
    expect(flags.isOn(FLAG, anna)).toBe(true);
    await eventually(
      () => server.asked.map(({ status }) => status),
      (statuses) => statuses.includes(304),
    );
    expect(server.asked.some(({ appName }) => appName === 'shop-proxy')).toBe(true);
    server.set(0);
    await eventually(
      () => flags.isOn(FLAG, anna),
      (on) => !on,
    );
    expect(flags.isEnabled(FLAG)).toBe(false);
  });

  it('is told how often the flag was on and off', async () => {
    const server = await unleashServer(rig, 100);
    const { flags } = await flagsOf(server.url, { metricsMs: 100 });
    for (let times = 0; times < 3; times++) flags.isOn(FLAG, anna);
    await eventually(
      () => server.metrics.length,
      (count) => count > 0,
    );
    flags.stop();
    expect(server.metrics.slice(0, 1).map(({ bucket }) => bucket?.toggles?.[FLAG])).toEqual([
      expect.objectContaining({ yes: 3, no: 0 }),
    ]);
  });

  it('that goes away leaves the last flags in force; that is told once, and so is that it is back', async () => {
    const server = await unleashServer(rig, 100);
    const { flags, lines } = await flagsOf(server.url);
    server.fail(500);
    const lost = () => lines.filter((line) => line.includes('the last known flags stay in force'));
    await eventually(
      () => lost().length,
      (times) => times > 0,
      15_000,
    );
    const count = server.asked.length;
    await eventually(
      () => server.asked.length,
      (now) => now > count + 2,
      15_000,
    );
    expect(flags.isOn(FLAG, anna)).toBe(true);
    expect(lost()).toHaveLength(1);
    server.fail(200);
    await eventually(
      () => lines.at(-1),
      (line) => line?.endsWith('answers again') === true,
      15_000,
    );
    expect(lines.join()).not.toContain(TOKEN);
  });

  it('that refuses the token is told with what to look at', async () => {
    const server = await unleashServer(rig, 100);
    const { flags, lines } = await flagsOf(server.url, { token: 'wrong' });
    expect(flags.isOn(FLAG, anna)).toBe(false);
    expect(lines.join()).toContain('your API key is not allowed to connect');
    expect(lines.join()).toContain('flags.unleash in the plan');
  });

  it('is not needed for a start: the last known flags lie in a file', async () => {
    const backup = join(await rig.folder(), 'state.json.flags');
    const server = await unleashServer(rig, 100);
    const first = await flagsOf(server.url, { backup });
    await eventually(
      () => readFile(backup, 'utf8').catch(() => ''),
      (text) => text.includes(FLAG),
    );
    first.flags.stop();
    await server.stop();
    const { flags } = await flagsOf(server.url, { backup });
    expect(flags.isOn(FLAG, anna)).toBe(true);
    const elsewhere = await flagsOf(`${await closedUrl()}/api`, { backup });
    expect([elsewhere.flags.isOn(FLAG, anna), elsewhere.flags.share(FLAG)]).toEqual([false, 0]);
  });

  it.each([
    ['is missing', undefined],
    ['is broken', '{"url":'],
    ['is of another shape', '{"flags":{"features":3}}'],
  ])('that cannot be reached has every flag off when the file of last flags %s', async (_what, text) => {
    const backup = join(await rig.folder(), 'state.json.flags');
    if (text !== undefined) await writeFile(backup, text);
    const { flags } = await flagsOf(`${await closedUrl()}/api`, { backup });
    expect(flags.isOn(FLAG, anna)).toBe(false);
  });

  it('decides over the traffic of a proxy whose plan names it', async () => {
    const server = await unleashServer(rig, 100);
    const [legacy, service] = await Promise.all(
      ['legacy', 'service'].map((who) => rig.server((_request, response) => response.end(who))),
    );
    const plan = parse(`
      version: 1
      proxy: { listen: 0, admin: 0, secret: !env SECRET }
      control: { ledger: !env LEDGER }
      flags: { unleash: { url: "${server.url}", token: !env UNLEASH, refreshMs: 100 } }
      upstreams: { legacy: "${legacy?.url}", catalog: "${service?.url}" }
      migrations: { catalog: { owner: team, upstream: catalog, canary: { oneWay: false }, routes: [GET /items/*] } }
    `);
    const { url } = await rig.proxy({ plan, subscription: fakeStateSubscription(stateOf(1, 'canary')) });
    const who = async () => (await fetch(`${url}/items/1`)).text();
    expect(await who()).toBe('service');
    server.set(0);
    await eventually(who, (answer) => answer === 'legacy');
  });
});
