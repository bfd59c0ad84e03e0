import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { startServer } from '../../../scripts/mysql-server.mjs';
import { isUpTo } from '../binlog-offset.js';
import { logEnd } from '../log-end.js';
import { engineOf, until } from './databases.js';

/** Two real servers, the second a read-only replica of the first. */
export type Replicated = {
  readonly primary: string;
  readonly replica: string;
  /** Resolves when the replica has received everything; applied too unless `received` is asked for. */
  caughtUp(how?: 'received'): Promise<void>;
  /** Holds what the replica receives back from its tables and its log, and lets it go on. */
  holdApplying(): Promise<void>;
  applyAgain(): Promise<void>;
  /** kill -9. */
  killPrimary(): void;
  /** Makes the replica a server of its own that takes writes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
};

const ARGS = [
  '--log-slave-updates=1',
  '--max-connections=100',
  '--innodb-buffer-pool-size=32M',
  '--sync-binlog=1',
];

export async function replicated(): Promise<Replicated> {
  const folder = mkdtempSync(join(tmpdir(), 'strangler-replicated-'));
  const first = await startServer({ folder: join(folder, 'mysql-1'), args: ARGS });
  const second = await startServer({ folder: join(folder, 'mysql-2'), args: [...ARGS, '--server-id=2'] });
  const open = (uri: string) => createConnection({ uri, multipleStatements: true });
  const [a, b] = [await open(first.url), await open(second.url)];
  a.on('error', () => {});
  const isMariaDb = (await engineOf(a)) === 'mariadb';
  const url = new URL(first.url);
  const [word, from] = isMariaDb ? ['SLAVE', 'MASTER'] : ['REPLICA', 'SOURCE'];
  const place = `${from}_HOST = '127.0.0.1', ${from}_PORT = ${url.port}, ${from}_USER = 'root', ${from}_PASSWORD = '${url.password}'`;
  const one = async (connection: Connection, sql: string): Promise<Record<string, unknown>> =>
    ((await connection.query(sql))[0] as Record<string, unknown>[])[0] ?? {};
  // What both have done at their start is not replicated: it made passwords.
  if (isMariaDb) {
    const { position } = await one(a, 'SELECT @@gtid_binlog_pos position');
    await b.query(
      `RESET MASTER; SET GLOBAL gtid_slave_pos = '${String(position)}'; CHANGE MASTER TO ${place}, MASTER_USE_GTID = slave_pos`,
    );
  } else {
    const { executed } = await one(a, 'SELECT @@gtid_executed executed');
    await b.query(
      `RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '${String(executed)}'; CHANGE REPLICATION SOURCE TO ${place}, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
    );
  }
  await b.query(`SET GLOBAL read_only = 1; START ${word}`);
  const status = () => one(b, `SHOW ${word} STATUS`);
  return {
    primary: first.url,
    replica: second.url,
    async caughtUp(how) {
      const end = await logEnd(a);
      if (how === 'received') {
        const { File, Position } = await one(a, isMariaDb ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
        return until(async () => {
          const row = await status();
          const read = isMariaDb ? row['Read_Master_Log_Pos'] : row['Read_Source_Log_Pos'];
          const file = isMariaDb ? row['Master_Log_File'] : row['Source_Log_File'];
          return file === File && Number(read) >= Number(Position);
        }, 'the replica has received everything');
      }
      return until(async () => isUpTo(end, await logEnd(b)), 'the replica has everything').catch(
        async (error: unknown) => {
          throw new Error(`${String(error)}: ${JSON.stringify(await status())}`);
        },
      );
    },
    holdApplying: async () => void (await b.query(`STOP ${word} SQL_THREAD`)),
    applyAgain: async () => void (await b.query(`START ${word} SQL_THREAD`)),
    killPrimary() {
      a.destroy();
      process.kill(Number(readFileSync(join(folder, 'mysql-1', 'server.pid'), 'utf8')), 'SIGKILL');
    },
    promote: async () => void (await b.query(`STOP ${word}; RESET ${word} ALL; SET GLOBAL read_only = 0`)),
    async stop() {
      a.destroy();
      b.destroy();
      await Promise.all([first.stop(), second.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
