import { spawn } from 'node:child_process';
import type { Database } from '@strangler/cdc';
import type { RowDataPacket } from 'mysql2/promise';
import { pathOf } from '../proxy/system-program.js';
import { type Servers, createDatabases, fillProduct } from './bench-databases.js';
import { startFlow } from './start-flow.js';

export type BackfillBench = {
  readonly rowsPerSec: number;
  /** Null without the programs of the peer. */
  readonly dumpRowsPerSec: number | null;
  readonly rssMiB: number;
  readonly cpuSeconds: number;
};

/** Copies a table with the mapping, and as `mariadb-dump | mariadb` copies it without one. */
export async function benchBackfill(servers: Servers, rows: number): Promise<BackfillBench> {
  const databases = await createDatabases(servers);
  const { from, to, source, target } = databases;
  try {
    await fillProduct(source, rows);
    const dumped = await dump(from, to);
    await target.query('DROP TABLE IF EXISTS product');
    const startedAt = performance.now();
    const flow = startFlow({ from: from.url, to: to.url });
    let copiedAt;
    try {
      copiedAt = await flow.copied;
    } finally {
      await flow.stop();
    }
    const { rssMiB, cpuSeconds } = await flow.stop();
    const [counted] = await target.query<RowDataPacket[]>('SELECT COUNT(*) count FROM item');
    if (Number(counted[0]?.['count']) !== rows)
      throw new Error(`the target has ${counted[0]?.['count']} rows, expected are ${rows}`);
    return {
      rowsPerSec: Math.round((rows / (copiedAt - startedAt)) * 1000),
      dumpRowsPerSec: dumped === null ? null : Math.round((rows / dumped) * 1000),
      rssMiB,
      cpuSeconds,
    };
  } finally {
    await databases.drop();
  }
}

/** Milliseconds of the peer; null where it is not installed. */
async function dump(from: Database, to: Database): Promise<number | null> {
  const dumper = pathOf('mariadb-dump') ?? pathOf('mysqldump');
  const client = pathOf('mariadb') ?? pathOf('mysql');
  if (dumper === undefined || client === undefined) return null;
  const start = (program: string, { url, schema }: Database, more: readonly string[]) => {
    const { hostname, port, username, password } = new URL(url);
    return spawn(
      program,
      [
        '--no-defaults',
        `-h${hostname}`,
        `-P${port || '3306'}`,
        `-u${decodeURIComponent(username)}`,
        ...more,
        schema,
      ],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, MYSQL_PWD: decodeURIComponent(password) },
      },
    );
  };
  const startedAt = performance.now();
  const reading = start(dumper, from, ['--single-transaction']);
  reading.stdin.end();
  const writing = start(client, to, []);
  reading.stdout.pipe(writing.stdin);
  writing.stdout.resume();
  const code = await new Promise<number | null>((done) => writing.once('exit', done));
  if (code !== 0) throw new Error(`"${client}" ended with ${code}`);
  return performance.now() - startedAt;
}
