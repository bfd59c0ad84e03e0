import { userInfo } from 'node:os';
import { askDoctor } from '../up/ask-doctor.js';
import { up } from '../up/pipeline.js';
import { runCli } from './cli.js';
import { processTerminal } from './terminal.js';

const account = (): string => {
  try {
    return userInfo().username;
  } catch {
    // In a container an account may have no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
};

const { env } = process;
const terminal = processTerminal();
process.exitCode = await runCli(process.argv.slice(2), {
  terminal,
  environment: env,
  operator: env['STRANGLER_OPERATOR'] || account(),
  doctor: (plan, migration) => askDoctor(plan, migration, env, process.cwd()),
  up: (file, options) => up(file, options, { terminal, environment: env, process }),
});
