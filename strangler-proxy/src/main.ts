import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkPort, type Plan, type Problem, reasonOf, runProgram } from '@strangler/contracts';
import { createProxy } from './proxy.js';

await runProgram(
  {
    name: 'strangler-proxy',
    async check(plan) {
      return [
        ...(await checkPort('proxy.listen', plan.proxy.listen)),
        ...(await checkPort('proxy.admin', plan.proxy.admin)),
        ...(plan.flags?.file === undefined
          ? []
          : await checkFolder(plan, 'flags.file', plan.flags.file, constants.R_OK)),
        ...(plan.proxy.stateFile === undefined
          ? []
          : await checkFolder(plan, 'proxy.stateFile', plan.proxy.stateFile, constants.W_OK)),
      ];
    },
    start: (plan, log, lines) => createProxy({ plan, log, lines }),
  },
  process.argv.slice(2),
  process.env,
);

/** The folder must be there; the file in it need not. */
async function checkFolder(plan: Plan, path: string, file: string, mode: number): Promise<Problem[]> {
  const folder = dirname(resolve(plan.folder, file));
  try {
    await access(folder, mode);
    return [];
  } catch (error) {
    return [
      {
        code: 'FOLDER_UNUSABLE',
        path,
        message: `lies in the folder "${folder}", which cannot be used (${reasonOf(error)})`,
        remedy: 'make the folder, or correct the path in the plan',
      },
    ];
  }
}
