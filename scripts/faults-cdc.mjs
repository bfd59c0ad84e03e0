// `npm run faults:cdc -- --runs 100 --seed 1 --json`: a search for faults of the data flow, on two private database servers.
import { kafkaPlace } from './kafka-place.mjs';
import { startServer } from './mysql-server.mjs';
import { prepare } from './prepare.mjs';
import { withKafka } from './test-kafka.mjs';

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
const search = (kafka) =>
  searchFaults(
    process.argv.slice(2),
    async () => ({ source: await start(), target: await start(), ...kafka }),
    (line) => console.log(line),
  );
try {
  // One broker and one worker for all runs; each run has a connector and topics of its own.
  process.exitCode = /--source[ =]kafka/.test(process.argv.join(' '))
    ? await withKafka((file) => search({ kafka: kafkaPlace(file) }), {
        milliseconds: 600_000,
        say: (sentence) => console.error(sentence),
      })
    : await search({});
} finally {
  await stop();
}
