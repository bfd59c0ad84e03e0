import { spawn } from 'node:child_process';
import type { Database } from '@strangler/cdc';
import { pathOf } from '../proxy/system-program.js';

const PROGRAM = 'pt-table-checksum';

/**
 * Milliseconds that Percona's pt-table-checksum needs for the table `product`, alone on its server and with its defaults, from its start to its end; null where it is not
 * installed. It keeps its sums in a table beside.
 */
export async function checksum(database: Database): Promise<number | null> {
  const program = pathOf(PROGRAM);
  if (program === undefined) return null;
  const { hostname, port, username, password } = new URL(database.url);
  const dsn = `h=${hostname},P=${port || '3306'},u=${decodeURIComponent(username)},p=${decodeURIComponent(password)}`;
  const startedAt = performance.now();
  const child = spawn(
    program,
    [
      dsn,
      `--databases=${database.schema}`,
      '--tables=product',
      `--replicate=${database.schema}.checksums`,
      '--no-check-binlog-format',
      '--recursion-method=none',
      '--no-version-check',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((done, fail) =>
    child.once('error', fail).once('close', (ended) => done(ended)),
  );
  if (code !== 0) throw new Error(`"${program}" ended with ${code}: ${said.slice(0, 500)}`);
  return performance.now() - startedAt;
}
