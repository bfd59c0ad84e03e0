import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Problem, reasonOf } from '@strangler/contracts';
import { fileFlagWriter } from './file-flag-writer.js';

/** Whether the flag file can be read, if it is there, and replaced. */
export async function checkFlags(file: string): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const folder = dirname(file);
  await access(folder, constants.W_OK).catch((error: unknown) =>
    problems.push({
      code: 'FLAGS_FOLDER',
      path: 'flags.file',
      message: `folder "${folder}" cannot be written (${reasonOf(error)})`,
      remedy: 'make it, and make it writable for the control plane',
    }),
  );
  await fileFlagWriter(file)
    .share('')
    .catch((error: unknown) =>
      problems.push({
        code: 'FLAGS_UNREADABLE',
        path: 'flags.file',
        message: reasonOf(error),
        remedy: 'correct the file, or remove it',
      }),
    );
  return problems;
}
