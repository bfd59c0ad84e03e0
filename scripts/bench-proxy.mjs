// `npm run bench:proxy -- --json`: what the proxy costs beside its peers, on this machine.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';

prepare();
const bench = spawn(pinnedNode, [join(root, 'bench/dist/proxy/main.js'), ...process.argv.slice(2)], {
  env: environment(),
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
bench.once('exit', (code) => (process.exitCode = code ?? 1));
