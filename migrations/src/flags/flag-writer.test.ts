import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkFlags } from './check-flags.js';
import { type Features, noFeatures } from './features.js';
import { fakeFlagWriter } from './fake-flag-writer.js';
import { fileFlagWriter } from './file-flag-writer.js';
import { flagWriterConformance } from './flag-writer.conformance.js';

describe('flags in memory', () => {
  flagWriterConformance(async (features) => {
    const writer = fakeFlagWriter(features);
    return { writer, read: async () => writer.features() };
  });
});

describe('flags in a file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flags-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const file = () => join(folder, 'flags.json');
  const read = async () => JSON.parse(await readFile(file(), 'utf8')) as Features;

  flagWriterConformance(async (features) => {
    if (features) await writeFile(file(), JSON.stringify(features));
    return { writer: fileFlagWriter(file()), read };
  });

  it('are replaced whole: a reader never sees half a file, and nothing is left beside it', async () => {
    const writer = fileFlagWriter(file());
    await writer.ensure(Array.from({ length: 200 }, (_, index) => `flag-${index}`));
    const done = new AbortController();
    const reads: number[] = [];
    const reader = (async () => {
      while (!done.signal.aborted) reads.push((await read()).features.length);
    })();
    for (let share = 1; share <= 40; share++) await writer.setShare('flag-7', share);
    done.abort();
    await reader;
    expect(reads.length).toBeGreaterThan(5);
    expect(new Set(reads)).toEqual(new Set([200]));
    expect(await readdir(folder)).toEqual(['flags.json']);
  });

  it('are not written when nothing changes', async () => {
    const writer = fileFlagWriter(file());
    await writer.ensure(['a']);
    const before = await stat(file());
    await writer.ensure(['a']);
    expect((await stat(file())).ino).toBe(before.ino);
  });

  it.each(['{ "features": [', '[]', '{"features": "none"}'])(
    'that are %j are refused, and kept',
    async (text) => {
      await writeFile(file(), text);
      await expect(fileFlagWriter(file()).setShare('a', 10)).rejects.toMatchObject({
        code: 'FLAGS_UNREADABLE',
      });
      expect(await readFile(file(), 'utf8')).toBe(text);
      expect(await checkFlags(file())).toEqual([
        expect.objectContaining({ code: 'FLAGS_UNREADABLE', path: 'flags.file' }),
      ]);
    },
  );

  it('in a folder that is not there are a problem of the preflight', async () => {
    expect(await checkFlags(join(folder, 'missing', 'flags.json'))).toEqual([
      expect.objectContaining({ code: 'FLAGS_FOLDER' }),
    ]);
    expect(await checkFlags(file())).toEqual([]);
    expect(noFeatures().features).toEqual([]);
  });
});
