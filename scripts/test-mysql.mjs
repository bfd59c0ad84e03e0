// `npm run test:mysql`: what has to do with databases, on a real MySQL. Arguments are handed to jest in place of all of it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';
import { provideRealMysql } from './provide-real-mysql.mjs';
import { withKafka } from './test-kafka.mjs';

/** How long a run waits for Maven; later ones find the jars. */
const JARS_DEADLINE_MS = 180_000;

const given = process.argv.slice(2);
try {
  const program = process.env.STRANGLER_MYSQL_PROGRAM ?? provideRealMysql(console.error);
  prepare();
  const jest = (args, more = {}) =>
    spawnSync(
      pinnedNode,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        '--maxWorkers=2',
        ...args,
      ],
      {
        cwd: root,
        env: { ...environment(), STRANGLER_MYSQL_PROGRAM: program, ...more },
        stdio: 'inherit',
      },
    ).status ?? 1;
  process.exitCode = jest(given.length > 0 ? given : ['(cdc|migrations)/src/.*\\.db\\.test']);
  if (given.length === 0) {
    // The connector for MySQL is another one than that for MariaDB.
    let hasKafka = false;
    try {
      const status = await withKafka(
        (place) => {
          hasKafka = true;
          return jest(['kafka-source'], { STRANGLER_KAFKA: place });
        },
        { milliseconds: JARS_DEADLINE_MS, say: console.error },
      );
      process.exitCode ||= status;
    } catch (error) {
      if (hasKafka) throw error;
      console.error(`SKIP MySQL through Kafka: ${error.message}`);
    }
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
