import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Phase } from '@strangler/contracts';
import { quoted } from '../fence/fence-database.js';
import { openShop, type Shop } from '../fence/shop.fixture.js';
import { triggerFences } from '../fence/trigger-fences.js';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';
import type { FencesChanged, FencesSeen } from './fence.js';

let legacy: Shop;
let service: Shop;
let control: Server;
let folder: string;
const standing = { phase: 'legacy' as Phase, epoch: 0, hold: false };

beforeEach(async () => {
  Object.assign(standing, { phase: 'legacy', epoch: 0, hold: false });
  [legacy, service] = await Promise.all([openShop(), openShop()]);
  for (const { root } of [legacy, service]) await root.query('CREATE TABLE product LIKE one');
  control = createServer((request, response) => {
    const { phase, epoch, hold } = standing;
    const body = request.url?.startsWith('/v1/status')
      ? { migrations: [{ name: 'catalog', phase }] }
      : {
          version: 3,
          migrations: {
            catalog: { phase, epoch, since: '2026-01-01T00:00:00Z', ...(hold ? { hold } : {}) },
          },
        };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await new Promise((done) => control.once('listening', done));
  folder = await mkdtemp(join(tmpdir(), 'strangler-fence-'));
  const ports = { proxy: 1, proxyAdmin: 2, sync: 3, control: (control.address() as AddressInfo).port };
  await writeFile(join(folder, 'strangler.yaml'), planText(ports));
});
afterEach(async () => {
  control.close();
  await Promise.all([legacy.close(), service.close(), rm(folder, { recursive: true })]);
});

const strangler = async (...args: string[]) => {
  let [out, err] = ['', ''];
  const code = await runCli(['fence', ...args, '--plan', join(folder, 'strangler.yaml')], {
    terminal: {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      interactive: false,
    },
    environment: { ...ENVIRONMENT, SHOP: legacy.url, CATALOG: service.url },
    operator: 'ann',
    up: async () => 1,
    doctor: async () => [],
  });
  return { code, out, err };
};
const inserted = (shop: Shop, sql = "INSERT INTO product (title) VALUES ('x')") =>
  shop.root.query(sql).then(
    () => 'written',
    (error: unknown) => (error as Error).message,
  );

describe('strangler fence', () => {
  it('install: opens the fence of the side that writes by the ledger, closes the other, and tells the cost', async () => {
    const { code, out } = await strangler('install', 'catalog', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      migration: 'catalog',
      open: 'legacy',
      places: [
        { database: 'legacy', side: 'legacy', tables: ['product'], cost: { without: expect.any(Number) } },
        { database: 'catalog', side: 'service', tables: ['product'], cost: { with: expect.any(Number) } },
      ],
    });
    expect([await inserted(legacy), await inserted(service)]).toEqual(['written', 'FENCED:product:0']);
    const again = JSON.parse((await strangler('install', 'catalog', '--json')).out) as FencesChanged;
    expect(again.places.flatMap(({ statements }) => statements)).toEqual([]);
    const [tables] = await legacy.root.query(`SHOW TABLES IN ${quoted(legacy.database.control)}`);
    expect(tables).toHaveLength(1);
  });

  it('install: puts a fence up with the epoch and the side of a migration that is extracted', async () => {
    Object.assign(standing, { phase: 'extracted', epoch: 4 });
    await strangler('install', 'catalog');
    expect([await inserted(legacy), await inserted(service)]).toEqual(['FENCED:product:4', 'written']);
  });

  it('install --dry-run: prints SQL that does the same, and changes nothing', async () => {
    const { out } = await strangler('install', 'catalog', '--dry-run');
    expect(out).toMatch(/^-- legacy \(legacy\)\nCREATE DATABASE/);
    expect(await triggerFences(legacy.database).look(['product'])).toMatchObject([{ state: null }]);
    const json = JSON.parse(
      (await strangler('install', 'catalog', '--dry-run', '--json')).out,
    ) as FencesChanged;
    for (const statement of json.places[0]?.statements ?? []) await legacy.root.query(statement);
    expect(await triggerFences(legacy.database).look(['product'])).toMatchObject([{ defects: [] }]);
  });

  it('status: exit 3 when a fence is not there, would not hold, or stands otherwise than the ledger says', async () => {
    expect((await strangler('status', 'catalog')).code).toBe(3);
    await strangler('install', 'catalog');
    const { code, out } = await strangler('status', 'catalog');
    expect([code, out]).toEqual([
      0,
      'catalog: phase legacy, legacy writes\ndatabase  table    fence   epoch\nlegacy    product  open    0\ncatalog   product  closed  0\nTRUNCATE and DROP pass by a fence: REVOKE DROP from the accounts of the applications while a cutover may come.\n',
    ]);
    Object.assign(standing, { phase: 'extracted', epoch: 1 });
    const wrong = await strangler('status', 'catalog', '--json');
    expect(wrong.code).toBe(3);
    expect((JSON.parse(wrong.out) as FencesSeen).fences.map(({ defects }) => defects)).toEqual([
      ['is open although service writes by the ledger'],
      ['is closed although service writes by the ledger'],
    ]);
  });

  it('remove: refuses while the service has the authority, or the writes change sides', async () => {
    Object.assign(standing, { phase: 'extracted', epoch: 1 });
    await strangler('install', 'catalog');
    expect(await strangler('remove', 'catalog')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^fences of "catalog" keep legacy from being written/),
    });
    Object.assign(standing, { phase: 'canary', hold: true });
    for (const verb of ['remove', 'install'])
      expect(await strangler(verb, 'catalog')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^writes of "catalog" are changing sides now/),
      });
    expect(await inserted(legacy)).toBe('FENCED:product:1');
    Object.assign(standing, { phase: 'retired', hold: false });
    expect((await strangler('remove', 'catalog')).code).toBe(0);
    expect([await inserted(legacy), await inserted(service)]).toEqual(['written', 'written']);
  });

  it('says what is wrong with the question', async () => {
    expect(await strangler('status', 'nothing')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^migration "nothing" is not in the plan/),
    });
    expect(await strangler('install', 'search')).toMatchObject({ code: 2 });
  });
});
