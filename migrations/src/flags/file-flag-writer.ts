import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flagsNotWritten, flagsUnreadable } from '../errors.js';
import { serially } from '../serially.js';
import {
  type Features,
  featuresSchema,
  noFeatures,
  shareIn,
  withFlags,
  withoutFlag,
  withShare,
} from './features.js';
import type { FlagWriter } from './flag-writer.js';

/** Flags in a file of the shape of Unleash's client API. Readers see the old file or the new one, never half of one. */
export function fileFlagWriter(file: string): FlagWriter {
  const read = async (): Promise<Features> => {
    try {
      return featuresSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return noFeatures();
      throw flagsUnreadable(file, cause);
    }
  };
  const write = async (features: Features): Promise<void> => {
    const temporary = `${file}.${process.pid}-${randomBytes(3).toString('hex')}.tmp`;
    try {
      await mkdir(dirname(file), { recursive: true });
      const mode = await stat(file).then(
        (found) => found.mode & 0o777,
        () => 0o644,
      );
      const handle = await open(temporary, 'wx', mode);
      try {
        await handle.writeFile(`${JSON.stringify(features, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => {});
      throw flagsNotWritten(file, cause);
    }
  };
  // Two changes at once would each write the other's flag back to what it was.
  const queue = {};
  const change = (turn: (features: Features) => Features): Promise<void> => {
    return serially(queue, async () => {
      const before = await read();
      const after = turn(before);
      if (after !== before) await write(after);
    });
  };
  return {
    share: async (flag) => shareIn(await read(), flag),
    maySet: async () => {},
    setShare: (flag, share) => change((features) => withShare(features, flag, share)),
    ensure: (flags) => change((features) => withFlags(features, flags)),
    remove: async (flag) => {
      await change((features) => withoutFlag(features, flag));
      return true;
    },
  };
}
