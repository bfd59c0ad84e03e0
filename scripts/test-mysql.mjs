// `npm run test:mysql`: what has to do with databases, on a real MySQL. Arguments are handed to jest in place of all of it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';
import { provideRealMysql } from './provide-real-mysql.mjs';

const given = process.argv.slice(2);
try {
  const program = process.env.STRANGLER_MYSQL_PROGRAM ?? provideRealMysql(console.error);
  prepare();
  const { status } = spawnSync(
    pinnedNode,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      '--maxWorkers=2',
      ...(given.length > 0 ? given : ['(cdc|migrations)/src/.*\\.db\\.test']),
    ],
    { cwd: root, env: { ...environment(), STRANGLER_MYSQL_PROGRAM: program }, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
