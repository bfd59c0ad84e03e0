// `npm run demo`: installs what is missing, provides a database server, and tells the story (e2e/src/demo/main.ts).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';

prepare();
const { provideMysql } = await import('./mysql-server.mjs');
const say = (sentence) => process.stderr.write(`${sentence}\n`);
let child;
// The story ends what it has started; the database server goes last. A second Ctrl-C changes nothing.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child?.kill(signal));
try {
  const server = await provideMysql({ say });
  say(`database server: ${server.how}`);
  // A process group of its own: a Ctrl-C at the terminal reaches the story once, through us.
  child = spawn(pinnedNode, [join(root, 'e2e', 'dist', 'demo', 'main.js'), ...process.argv.slice(2)], {
    env: { ...environment(), STRANGLER_MYSQL_URL: server.url },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const [code] = await once(child, 'exit');
  await server.stop();
  process.exitCode = code ?? 1;
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
