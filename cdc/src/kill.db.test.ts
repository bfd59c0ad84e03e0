import { afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { MigrationSync } from '@strangler/contracts';
import { stateServer } from './testing/state-server.js';
import { seeded, until } from './testing/databases.js';
import { openShop, settled, type Shop, writeAtRandom } from './testing/shop.js';
import { removePlans, startSync, type SyncProcess, writePlan } from './testing/sync-process.js';

const root = resolve(import.meta.dirname, '../..');
let shop: Shop;
let sync: SyncProcess | undefined;
let control: Awaited<ReturnType<typeof stateServer>>;

beforeAll(async () => {
  await promisify(execFile)(
    process.execPath,
    [resolve(root, 'node_modules/typescript/bin/tsc'), '-b', 'contracts', 'cdc'],
    { cwd: root },
  );
}, 120_000);
beforeEach(async () => {
  shop = await openShop();
  control = await stateServer('catalog', 'syncing');
});
afterEach(async () => {
  sync?.process.kill('SIGKILL');
  control.stop();
  await shop.drop();
  await removePlans();
});

it('kill -9 at ten random moments of backfill and tail, with writers all the while, leaves both databases equal', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const random = seeded(seed);
  await shop.fill(400);
  const plan = await writePlan(control.listen, 20);
  let isEnded = false;
  const writers = [1, 2, 3].map(async (number) =>
    writeAtRandom(await shop.writer(), seeded(seed + number), () => isEnded, 40),
  );
  const states: string[] = [];
  for (let kill = 0; kill < 10; kill++) {
    sync = await startSync(plan, shop);
    const started = sync;
    if (kill >= 7)
      await until(async () => (await current(started)).state === 'tailing', `tailing, seed ${seed}`, 60_000);
    // Within the first moments after the start, when it takes over, reads the log again and copies chunks, or later in the tail.
    await new Promise((done) => setTimeout(done, 20 + random() * (kill < 5 ? 150 : 600)));
    states.push((await sync.evidence()).migrations['catalog']?.state ?? '');
    sync.process.kill('SIGKILL');
    expect(await sync.ended()).toEqual([null, 'SIGKILL']);
  }
  isEnded = true;
  const written = await Promise.all(writers);
  const last = await startSync(plan, shop);
  sync = last;
  let evidence = await current(last);
  const poll = setInterval(() => void current(last).then((now) => (evidence = now)), 50);
  try {
    await settled(shop, () => evidence, 90_000).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${String(error)}: ${JSON.stringify(evidence)}`);
    });
  } finally {
    clearInterval(poll);
  }
  expect({ seed, differences: await shop.differences() }).toEqual({ seed, differences: [] });
  expect(Math.min(...written)).toBeGreaterThan(20);
  expect({ seed, states }).toMatchObject({ states: expect.arrayContaining(['backfilling', 'tailing']) });
  process.stderr.write(
    `kill -9 ten times: seed ${seed}, ${written.reduce((sum, count) => sum + count, 0)} writes, killed while ${states.join(', ')}\n`,
  );
}, 200_000);

it('an asked end is clean at any moment: code 0, no connection left, and the next start goes on', async () => {
  const seed = Number(process.env['STRANGLER_SEED'] ?? Date.now() % 1e9);
  const random = seeded(seed);
  await shop.fill(400);
  const plan = await writePlan(control.listen, 20);
  for (let round = 0; round < 4; round++) {
    sync = await startSync(plan, shop);
    await new Promise((done) => setTimeout(done, random() * 400));
    sync.process.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGINT');
    expect({ seed, round, end: await sync.ended() }).toEqual({ seed, round, end: [0, null] });
    expect(sync.output()).not.toMatch(/"level":(50|60)/);
  }
  sync = await startSync(plan, shop);
  const last = sync;
  await until(async () => (await current(last)).state === 'tailing', 'tailing');
  // The parent that started it is gone.
  last.process.disconnect();
  expect(await last.ended()).toEqual([0, null]);
  await until(async () => {
    const [rows] = await shop.from.root.query(
      'SELECT COUNT(*) n FROM information_schema.PROCESSLIST WHERE db IN (?, ?)',
      [shop.from.schema, shop.to.schema],
    );
    // Two are the test's own.
    return (rows as { n: number }[])[0]?.n === 2;
  }, 'no connection left');
  expect(await shop.differences()).toEqual([]);
}, 150_000);

async function current(process: SyncProcess): Promise<MigrationSync> {
  return (await process.evidence()).migrations['catalog'] ?? fail();
}

function fail(): never {
  throw new Error('there is no migration "catalog" in the evidence');
}
