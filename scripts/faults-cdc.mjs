// `npm run faults:cdc -- --runs 100 --seed 1 --json`: a search for faults of the data flow, on two private database servers.
import { startServer } from './mysql-server.mjs';
import { prepare } from './prepare.mjs';

prepare();
const { searchFaults } = await import('../e2e/dist/faults-cdc/main.js');
// Written at commit and not synced: what a killed process has written the system keeps.
const args = ['--innodb-buffer-pool-size=64M'];
const started = [];
const start = async () => {
  const server = await startServer({ args });
  started.push(server);
  return server;
};
const stop = () => Promise.all(started.map((server) => server.stop()));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void stop().finally(() => process.exit(130)));
try {
  process.exitCode = await searchFaults(
    process.argv.slice(2),
    async () => ({ source: await start(), target: await start() }),
    (line) => console.log(line),
  );
} finally {
  await stop();
}
