// `npm run faults -- --runs 100 --seed 1 --json`: a search for faults of cutovers, on the whole system with two private database servers.
import { join } from 'node:path';
import { startServer } from './mysql-server.mjs';
import { prepare, root } from './prepare.mjs';

prepare();
const { searchCutoverFaults } = await import('../e2e/dist/faults/main.js');
const started = [];
const start = async () => {
  // Written at commit and not synced: what a killed process has written the system keeps.
  const server = await startServer({ args: ['--innodb-buffer-pool-size=64M'] });
  started.push(server);
  return server;
};
const stop = () => Promise.all(started.map((server) => server.stop()));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void stop().finally(() => process.exit(130)));
try {
  process.exitCode = await searchCutoverFaults(
    process.argv.slice(2),
    async () => ({
      servers: { legacy: await start(), service: await start() },
      folder: join(root, '.strangler', 'faults'),
    }),
    (line) => console.log(line),
  );
} finally {
  await stop();
}
// A connection that a fault has left half open would keep us for as long as the system believes in it.
process.exit();
