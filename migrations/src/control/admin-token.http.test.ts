import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Plan, type RoutingState, subscribeToState } from '@strangler/contracts';
import { controlClient } from '../cli/control-client.js';
import { ENVIRONMENT } from '../plan.fixture.js';
import { httpEvidence } from '../evidence/http-evidence.js';
import { adminServer, type ControlWorld, controlWorld } from './control.fixture.js';

describe('a plan with tokens', () => {
  let world: ControlWorld;
  let plan: Plan;
  beforeAll(async () => {
    world = await controlWorld({ tokens: true });
    const listen = { host: '127.0.0.1', port: Number(new URL(world.url).port) };
    plan = { ...world.plan, control: { ...world.plan.control, listen } as NonNullable<Plan['control']> };
  });
  afterAll(() => world.stop());

  it('keeps the control plane to those who show its token; whether it lives is told to all', async () => {
    for (const path of ['/v1/state?after=0', '/v1/status', '/v1/report.html'])
      expect(await world.get(path)).toMatchObject({ status: 401, body: { code: 'ADMIN_TOKEN_REFUSED' } });
    expect((await world.advance()).status).toBe(401);
    expect((await world.get('/health')).status).toBe(200);
    expect(await world.ledger.history()).toEqual([]);
  });

  it('has commands and subscribers show the token of the control plane', async () => {
    expect((await controlClient(plan).status()).migrations).toHaveLength(2);
    await expect(
      controlClient({ ...plan, control: { ...plan.control, adminToken: 'another' } as never }).status(),
    ).rejects.toMatchObject({ code: 'ADMIN_TOKEN_REFUSED' });
    const end = new AbortController();
    const seen: RoutingState[] = [];
    const following = subscribeToState({
      url: world.url,
      subscriber: 'proxy-1',
      token: plan.control?.adminToken,
    }).run((state) => {
      seen.push(state);
      end.abort();
    }, end.signal);
    await controlClient(plan).advance('catalog', { by: 'ann' });
    await following;
    expect(seen).toHaveLength(1);
  });

  it('has the control plane show proxy and sync each their own', async () => {
    world.state.shown.clear();
    await controlClient(plan).verify('catalog', 'ann');
    await controlClient(plan).status();
    expect(world.state.shown).toEqual(
      new Set([`Bearer ${ENVIRONMENT.PROXY_TOKEN}`, `Bearer ${ENVIRONMENT.SYNC_TOKEN}`]),
    );
  });

  it('has every replica be shown the token of the proxies', async () => {
    const shown: (string | undefined)[] = [];
    const replicas = await Promise.all(
      [1, 2].map(() =>
        adminServer(async ({ authorization }) => {
          shown.push(authorization);
          return { status: 503, body: { code: 'X', message: 'x' } };
        }),
      ),
    );
    const urls = replicas.map(({ port }) => `http://127.0.0.1:${port}`);
    await httpEvidence({ ...plan, proxy: { ...plan.proxy, replicas: urls } }).gather();
    await Promise.all(replicas.map(({ stop }) => stop()));
    expect(shown).toEqual([1, 2].map(() => `Bearer ${ENVIRONMENT.PROXY_TOKEN}`));
  });
});
