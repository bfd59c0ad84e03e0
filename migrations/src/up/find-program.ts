import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programNotFound } from '../errors.js';

/** The script behind a command: the first node_modules/.bin that has it, upwards from each folder in turn. */
export function findProgram(name: string, folders: readonly string[]): string {
  for (const start of folders)
    for (let folder = start; ; folder = dirname(folder)) {
      const file = join(folder, 'node_modules', '.bin', name);
      if (existsSync(file)) return realpathSync(file);
      if (folder === dirname(folder)) break;
    }
  throw programNotFound(name);
}
