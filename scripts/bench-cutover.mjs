// `npm run bench:cutover -- --json`: how long writes wait while they change sides, under load, on the whole system with two private database servers.
import { join } from 'node:path';
import { startServer } from './mysql-server.mjs';
import { prepare, root } from './prepare.mjs';

prepare();
const { main } = await import('../bench/dist/cutover/main.js');
const started = [];
const start = async () => {
  const server = await startServer();
  started.push(server);
  return server;
};
const stop = () => Promise.all(started.map((server) => server.stop()));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void stop().finally(() => process.exit(130)));
try {
  await main(
    process.argv.slice(2),
    async () => ({
      servers: { legacy: await start(), service: await start() },
      folder: join(root, '.strangler', 'bench-cutover'),
    }),
    (line) => console.log(line),
    (line) => console.error(line),
  );
} finally {
  await stop();
}
// A connection that a fault has left half open would keep us for as long as the system believes in it.
process.exit();
