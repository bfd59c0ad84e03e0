// `npm run bench:cdc -- --json`: how fast row changes are applied, on this machine.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { provideMysql } from './mysql-server.mjs';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';

prepare();
const server = await provideMysql();
const bench = spawn(pinnedNode, [join(root, 'bench/dist/cdc/main.js'), ...process.argv.slice(2)], {
  env: { ...environment(), STRANGLER_MYSQL_URL: server.url },
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
bench.once('exit', (code) => {
  process.exitCode = code ?? 1;
  void server.stop();
});
