import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHAPTERS } from './chapters/index.js';
import { closeClients } from './client.js';
import { tellStory } from './tell-story.js';
import { createWorld, type World } from './world.js';

describe('the story, shortened', () => {
  let world: World;
  let folder = '';
  const told: string[] = [];
  const kept: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'story-'));
    world = await createWorld({
      mysqlUrl: process.env['STRANGLER_MYSQL_URL'] ?? '',
      folder: join(folder, 'world'),
      seedArguments: ['--products', '400', '--customers', '120', '--orders', '300'],
      say: (sentence) => told.push(sentence),
    });
  }, 120_000);

  afterAll(async () => {
    await world?.close();
    await closeClients();
    await rm(folder, { recursive: true, force: true });
  });

  it('holds every claim under traffic, from everything on legacy to everything on the service and back and out again', async () => {
    const summary = await tellStory(
      world,
      {
        chapter: (title) => told.push(title),
        say: (sentence) => told.push(sentence),
        claim: (sentence, holds) => holds && kept.push(sentence),
        progress: () => {},
      },
      { customers: 50, atOnceMs: 10_000 },
    ).catch((error: unknown) => {
      throw new Error(`${told.slice(-12).join('\n')}\n${String(error)}`, { cause: error });
    });
    expect(told).toEqual(expect.arrayContaining(CHAPTERS.map(({ title }) => title)));
    expect(kept.length).toBeGreaterThan(30);
    expect(summary).toMatchObject({ failed: 0, gateRefusals: 1, driftRows: 0 });
    expect(summary.requests).toBeGreaterThan(1_000);
    expect(summary.mismatchesFound).toBeGreaterThan(0);
    expect(summary.rowsVerified).toBeGreaterThan(1_000);
    expect(summary.heldMs).toHaveLength(3);
    expect(await readFile(summary.report, 'utf8')).toContain('team catalog');
  }, 600_000);
});
