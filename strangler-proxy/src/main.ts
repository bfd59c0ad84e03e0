import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkPort, type Plan, type Problem, reasonOf, runProgram } from '@strangler/contracts';
import { planFile } from './plan-file.js';
import { checkTls } from './check-tls.js';
import { checkGrpc } from './load-grpc-method.js';
import { createProxy } from './proxy.js';
import { checkUpstreamTls } from './read-tls.js';
import { planOfWorker, runWorkers, sourceOfWorker, workerIn } from './workers.js';

const worker = workerIn(process.env);

await runProgram(
  {
    name: 'strangler-proxy',
    async check(plan) {
      // Whoever started the worker has looked, and holds its port.
      if (worker !== undefined) return [];
      return [
        ...(await checkPort('proxy.listen', plan.proxy.listen)),
        ...(await checkPort('proxy.admin', plan.proxy.admin)),
        ...(plan.proxy.tls === undefined ? [] : await checkTls(plan, plan.proxy.tls)),
        ...(typeof plan.proxy.accessLog !== 'object' || plan.proxy.accessLog.file === undefined
          ? []
          : await checkFolder(plan, 'proxy.accessLog.file', plan.proxy.accessLog.file, constants.W_OK)),
        ...(await checkGrpc(plan)),
        ...checkUpstreamTls(plan),
        ...(plan.flags?.file === undefined
          ? []
          : await checkFolder(plan, 'flags.file', plan.flags.file, constants.R_OK)),
        ...(plan.proxy.stateFile === undefined
          ? []
          : await checkFolder(plan, 'proxy.stateFile', plan.proxy.stateFile, constants.W_OK)),
      ];
    },
    start(plan, log) {
      if (worker === undefined && plan.proxy.workers > 1) return runWorkers(plan, log);
      const source = planFile(plan.file, process.env, log);
      if (worker === undefined) return createProxy({ plan, log, source });
      return createProxy({ plan: planOfWorker(plan, worker), log, source: sourceOfWorker(source, worker) });
    },
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
