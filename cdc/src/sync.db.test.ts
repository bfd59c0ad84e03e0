import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import {
  fakeStateSubscription,
  parsePlan,
  type Phase,
  type Plan,
  type Verification,
} from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { createSync, type Sync } from './sync.js';
import { stateServer } from './testing/state-server.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';
import { removePlans, writePlan } from './testing/sync-process.js';

let shop: Shop;
let plan: Plan;
const stops: (() => Promise<void> | void)[] = [];
const quiet = pino({ level: 'silent' });

beforeEach(async () => {
  shop = await openShop();
  const file = await writePlan('127.0.0.1:1', 50);
  const loaded = parsePlan(await readFile(file, 'utf8'), file, {
    SECRET: '0123456789abcdef',
    LEGACY: shop.from.url,
    SERVICE: shop.to.url,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  plan = loaded.plan;
});
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  await shop.drop();
  await removePlans();
});

async function start(phase?: Phase) {
  const state = (version: number, migrations: Record<string, Phase>) => ({
    version,
    migrations: Object.fromEntries(
      Object.entries(migrations).map(([name, one]) => [name, { phase: one, since: '2026-01-01T00:00:00Z' }]),
    ),
  });
  const subscription = fakeStateSubscription(phase && state(1, { catalog: phase }));
  const sync = await createSync({ plan, log: quiet, instance: 'sync-test', subscription });
  stops.push(() => sync.stop());
  let version = 1;
  return {
    sync,
    migration: () => catalog(sync),
    set: (next?: Phase) => subscription.set(state(++version, next ? { catalog: next } : {})),
  };
}
function catalog(sync: Sync) {
  const found = sync.evidence().migrations['catalog'];
  if (!found) throw new Error('there is no migration "catalog" in the evidence');
  return found;
}
const admin = (sync: Sync) => sync.urls['admin'] ?? '';
const json = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as unknown };
};
const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
const copied = async () =>
  Number((await shop.to.root.query<RowDataPacket[]>('SELECT COUNT(*) n FROM item'))[0][0]?.['n']);

describe('phases and data', () => {
  it('data flow in syncing, shadow and canary without a break, and are dropped on the way back to legacy', async () => {
    await shop.fill(40);
    const { sync, migration, set } = await start('syncing');
    await settled(shop, migration);
    expect(await shop.differences()).toEqual([]);
    const before = migration().applied.transactions;
    await set('shadow');
    await set('canary');
    await shop.from.root.query("UPDATE product SET name = 'in canary'");
    await settled(shop, migration);
    expect(await shop.differences()).toEqual([]);
    // It went on: a new start would count from zero.
    expect(migration().applied.transactions).toBeGreaterThan(before);
    await set('shadow');
    await set('syncing');
    await set('legacy');
    await until(() => migration().state === 'idle', 'idle');
    expect(await copied()).toBe(0);
    expect(sync.evidence().stateVersion).toBe(6);
  });

  it('nothing is dropped for a phase that nobody set, nor after a cutover', async () => {
    await shop.fill(10);
    const { migration, set } = await start('syncing');
    await settled(shop, migration);
    await set('extracted');
    await until(() => migration().state === 'stopped', 'stopped');
    expect(migration().problem).toContain('stream "catalog.back" does not know where it begins');
    await shop.from.root.query("UPDATE product SET name = 'no longer followed'");
    await set();
    await new Promise((done) => setTimeout(done, 200));
    expect(await copied()).toBe(10);
    expect((await shop.differences()).length).toBeGreaterThan(0);
  });

  it('can change faster than the work they ask for', async () => {
    await shop.fill(200);
    const { migration, set } = await start();
    for (const phase of ['syncing', 'legacy', 'syncing', 'legacy', 'syncing'] as const) await set(phase);
    await settled(shop, migration);
    expect(await shop.differences()).toEqual([]);
  });

  it('a stop in the middle of anything leaves nothing behind', async () => {
    await shop.fill(200);
    for (const wait of [0, 5, 30, 120]) {
      const { sync } = await start('syncing');
      await new Promise((done) => setTimeout(done, wait));
      await sync.stop();
    }
    const { migration } = await start('syncing');
    await settled(shop, migration);
    expect(await shop.differences()).toEqual([]);
  });
});

describe('the control plane', () => {
  it('that goes away leaves migrations as they are, and the evidence says so', async () => {
    await shop.fill(10);
    const control = await stateServer('catalog', 'syncing');
    const [host = '', port = ''] = control.listen.split(':');
    const sync = await createSync({
      plan: { ...plan, control: { ...plan.control!, listen: { host, port: Number(port) } } },
      log: quiet,
      instance: 'sync-test',
    });
    stops.push(() => sync.stop());
    const migration = () => catalog(sync);
    await settled(shop, migration);
    control.stop();
    await until(() => !sync.evidence().inContact, 'contact lost');
    await shop.from.root.query("UPDATE product SET name = 'still followed'");
    await settled(shop, migration);
    expect(await shop.differences()).toEqual([]);
  });
});

describe('a problem', () => {
  it('says that the log no longer reaches back to the offset', async () => {
    await shop.fill(5);
    const first = await start('syncing');
    await settled(shop, first.migration);
    await first.sync.stop();
    await shop.to.root.query(
      `UPDATE ${shop.to.schema}_strangler.apply_offset SET log_offset = 'binlog.999999:4'`,
    );
    const second = await start('syncing');
    await until(() => second.migration().state === 'stopped', 'stopped');
    expect(second.migration().problem).toBe(
      'the log of database "legacy" no longer holds offset "binlog.999999:4": roll the migration back to "legacy" and advance it again, so that it is copied anew',
    );
    await second.set('legacy');
    await until(() => second.migration().state === 'idle', 'idle');
    expect(second.migration().problem).toBeNull();
    await second.set('syncing');
    await settled(shop, second.migration);
    expect(await shop.differences()).toEqual([]);
  });
});

describe('the admin port', () => {
  it('answers health, readiness, evidence and metrics', async () => {
    const { sync, migration, set } = await start();
    expect((await json(`${admin(sync)}/health`)).status).toBe(200);
    expect((await json(`${admin(sync)}/ready`)).status).toBe(503);
    await shop.fill(3);
    await set('syncing');
    await settled(shop, migration);
    expect((await json(`${admin(sync)}/ready`)).status).toBe(200);
    const { body } = await json(`${admin(sync)}/evidence`);
    expect(body).toMatchObject({
      instance: 'sync-test',
      planRevision: plan.revision,
      stateVersion: 2,
      migrations: { catalog: { state: 'tailing', problem: null, verification: null } },
    });
    const metrics = await (await fetch(`${admin(sync)}/metrics`)).text();
    expect(metrics).toContain('strangler_sync_state{migration="catalog",state="tailing"} 1');
    expect(metrics).toContain('strangler_sync_backfill_copied_rows{migration="catalog"} 9');
    expect(metrics).toMatch(/strangler_sync_lag_seconds\{migration="catalog"\} [\d.]+/);
  });

  it('runs a verification, and refuses one that cannot be', async () => {
    await shop.fill(3);
    const { sync, migration, set } = await start('legacy');
    const url = `${admin(sync)}/migrations/catalog/verify`;
    await until(() => migration().state === 'idle', 'idle');
    expect(await json(url, post)).toEqual({
      status: 409,
      body: {
        code: 'MIGRATION_NOT_SYNCING',
        message: 'migration "catalog" is "idle": it can be verified while it is "tailing"',
      },
    });
    expect((await json(`${admin(sync)}/migrations/unknown/verify`, post)).status).toBe(404);
    await set('syncing');
    await settled(shop, migration);
    const { status, body } = await json(url, post);
    const verification = body as Verification;
    expect({ status, clean: verification.clean, rowsVerified: verification.rowsVerified }).toEqual({
      status: 200,
      clean: true,
      rowsVerified: 3 + 9 + 6,
    });
    expect(migration().verification).toEqual(body);
  });

  it('refuses what a page in a browser could send', async () => {
    const { sync } = await start('legacy');
    const { port } = new URL(admin(sync));
    const as = (host: string) =>
      new Promise<number | undefined>((done, fail) => {
        request({ host: '127.0.0.1', port, path: '/evidence', headers: { host } }, (response) => {
          response.resume();
          done(response.statusCode);
        })
          .once('error', fail)
          .end();
      });
    expect(await as('evil.example')).toBe(403);
    expect(await as(`localhost.evil.example:${port}`)).toBe(403);
    expect(await as(`localhost:${port}`)).toBe(200);
    expect(await as(`[::1]:${port}`)).toBe(200);
    expect(
      (await json(`${admin(sync)}/migrations/catalog/verify`, { method: 'POST', body: 'x=1' })).status,
    ).toBe(415);
    expect((await json(`${admin(sync)}/migrations/catalog/verify`)).status).toBe(405);
    expect((await json(`${admin(sync)}/nothing`)).status).toBe(404);
    expect((await json(`${admin(sync)}/evidence`, post)).status).toBe(405);
  });
});
