import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { until } from './until.js';

const DEMO = resolve(import.meta.dirname, '../dist/demo/main.js');
const server = process.env['STRANGLER_MYSQL_URL'] ?? '';

/** Processes that were started with the marker in their environment, children of children included. */
async function processesWith(marker: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(`STORY_MARKER=${marker}`)) found.push(Number(name));
  }
  return found;
}

const schemas = async () => {
  const connection = await createConnection(server);
  const [rows] = await connection.query('SELECT schema_name AS name FROM information_schema.schemata');
  await connection.end();
  return (rows as { name: string }[]).map(({ name }) => name);
};

describe('a story that is broken off', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'interruption-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const moments: readonly { at: string; reached: (told: string) => boolean; signal: NodeJS.Signals }[] = [
    { at: 'while the shop is seeded', reached: (told) => told.includes('seeding'), signal: 'SIGINT' },
    {
      at: 'while the toolkit starts',
      reached: (told) => told.includes('the catalog service runs'),
      signal: 'SIGINT',
    },
    { at: 'in the midst of the backfill', reached: (told) => /(^|\n)2\/\d+ /.test(told), signal: 'SIGTERM' },
    {
      at: 'in the midst of the backfill, by kill -9',
      reached: (told) => /(^|\n)2\/\d+ /.test(told),
      signal: 'SIGKILL',
    },
  ];

  it.each(moments)('$at leaves no process', async ({ reached, signal }) => {
    const before = await schemas();
    const marker = `${process.pid}-${Math.random()}`;
    const child = spawn(process.execPath, [DEMO, '--folder', join(folder, marker)], {
      env: { ...process.env, STORY_MARKER: marker },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    await until('the moment', 60_000, () => Promise.resolve(reached(told)), 20);
    await sleep(200);
    expect((await processesWith(marker)).length).toBeGreaterThan(0);
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (signal === 'SIGKILL') {
      // Whoever was started by it sees its channel close and ends by itself.
      await until('the end of its children', 15_000, async () => (await processesWith(marker)).length === 0);
      return;
    }
    expect(code).toBe(1);
    expect(await processesWith(marker)).toEqual([]);
    expect((await schemas()).toSorted()).toEqual(before.toSorted());
  });
});
