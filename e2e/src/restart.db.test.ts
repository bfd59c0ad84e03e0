import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verification } from '@strangler/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { advanceWhenReady } from './operator.js';
import { until } from './until.js';
import { createWorld, type World } from './world.js';

describe('the toolkit, ended at any moment', () => {
  let world: World;
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'restart-'));
    world = await createWorld({
      mysqlUrl: process.env['STRANGLER_MYSQL_URL'] ?? '',
      folder: join(folder, 'world'),
      seedArguments: ['--products', '1500', '--customers', '60', '--orders', '60'],
      say: () => {},
    });
  }, 120_000);

  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('goes on where it was, whatever the shop wrote meanwhile', async () => {
    const shop = await createConnection(world.databases.shop);
    await advanceWhenReady(world, 20_000, '--to', 'syncing');
    for (const [round, how] of (['SIGTERM', 'SIGKILL', 'SIGTERM'] as const).entries()) {
      await sleep(150 * round);
      await world.stopToolkit(how);
      await shop.query('UPDATE product SET price = price + 1, name = CONCAT(name, ?) WHERE id % 7 = ?', [
        ` ${round}`,
        round,
      ]);
      await shop.query('DELETE FROM review WHERE id % 50 = ?', [round]);
      await shop.query(
        "INSERT INTO review (product_id, author_name, rating, title, body, is_approved, created) SELECT id, 'Jürgen', 5, 'Gut 👍', ?, 1, '2026-03-29 01:59:59' FROM product LIMIT 40",
        [`round ${round}`],
      );
      await world.startToolkit();
      const status = await world.strangler('status', '--json');
      expect(JSON.parse(status.out)).toMatchObject({
        migrations: [
          { name: 'catalog', phase: 'syncing' },
          { name: 'orders', phase: 'legacy' },
        ],
      });
    }
    await until(
      'the tail',
      60_000,
      async () => (await world.syncEvidence()).migrations['catalog']?.state === 'tailing',
    );
    const result = await world.strangler('verify', 'catalog', '--json');
    const verification = JSON.parse(result.out) as Verification;
    expect(verification).toMatchObject({ clean: true, driftRows: 0 });
    expect(verification.rowsVerified).toBeGreaterThan(1_500);
    const [[row]] = (await shop.query('SELECT COUNT(*) AS rows_there FROM review')) as unknown as [
      [{ rows_there: number }],
    ];
    expect(verification.tables.find(({ from }) => from === 'review')?.targetRows).toBe(row.rows_there);
    await shop.end();
  }, 180_000);
});
