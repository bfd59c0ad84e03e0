// `npm run bench:cdc -- --json`: the data flow beside its peers, on this machine.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { connectFolder, sinkPom } from './connect-jars.mjs';
import { provideMysql, startServer } from './mysql-server.mjs';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';
import { withKafka } from './test-kafka.mjs';

prepare();
const args = process.argv.slice(2);
const parts = args.find((_, index) => args[index - 1] === '--parts') ?? 'apply,capture,backfill,lag,sink';
const say = (sentence) => console.error(sentence);
const server = await provideMysql();
// A target of its own, without a log, as it is where nobody reads one.
const target = process.env.STRANGLER_MYSQL_URL
  ? server
  : await startServer({ args: ['--skip-log-bin'] }).catch(() => server);

const bench = (place) =>
  new Promise((done) => {
    const child = spawn(pinnedNode, [join(root, 'bench/dist/cdc/main.js'), ...args], {
      env: {
        ...environment(),
        STRANGLER_MYSQL_URL: server.url,
        STRANGLER_TARGET_URL: target.url,
        ...(place === undefined ? {} : { STRANGLER_KAFKA: place }),
      },
      stdio: 'inherit',
    });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.once('exit', (code) => done(code ?? 1));
  });

let hasStarted = false;
const jars = { pom: sinkPom, folder: join(connectFolder, 'sink') };
process.exitCode = parts.split(',').includes('sink')
  ? await withKafka((place) => ((hasStarted = true), bench(place)), {
      milliseconds: 600_000,
      say,
      ...jars,
    }).catch((error) => {
      if (hasStarted) throw error;
      say(`no Kafka: ${error.message}`);
      return bench();
    })
  : await bench();
await server.stop();
if (target !== server) await target.stop();
