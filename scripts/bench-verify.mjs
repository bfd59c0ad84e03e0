// `npm run bench:verify -- --json`: verification while rows change, beside pt-table-checksum, on this machine.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { provideMysql, startServer } from './mysql-server.mjs';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';

prepare();
const server = await provideMysql();
// A target of its own, without a log, as it is where nobody reads one.
const target = process.env.STRANGLER_MYSQL_URL
  ? server
  : await startServer({ args: ['--skip-log-bin'] }).catch(() => server);
process.exitCode = await new Promise((done) => {
  const child = spawn(pinnedNode, [join(root, 'bench/dist/verify/main.js'), ...process.argv.slice(2)], {
    env: { ...environment(), STRANGLER_MYSQL_URL: server.url, STRANGLER_TARGET_URL: target.url },
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => done(code ?? 1));
});
await server.stop();
if (target !== server) await target.stop();
