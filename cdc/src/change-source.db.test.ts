// Long: the source is tried as a port, by ids and by position, and then for what only a real log does.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeEvent } from '@strangler/contracts';
import { startServer } from '../../scripts/mysql-server.mjs';
import { offsetOf } from './binlog-offset.js';
import { binlogSource } from './binlog-source.js';
import {
  changesOf,
  changeSourceConformance,
  eventOf,
  read,
  runSteps,
  type Step,
  type Trial,
} from './change-source.conformance.js';
import { fakeSource } from './fake-source.js';
import { logEnd } from './log-end.js';
import { engineOf, type ScratchDatabase, scratchDatabase, until } from './testing/databases.js';

changeSourceConformance(
  'the fake',
  async () => {
    const source = fakeSource();
    const change = (step: Step): ChangeEvent => ({ ...eventOf(step), database: 'd', table: 'item' });
    return {
      source,
      commit: async (...steps) => source.commit(...steps.map(change)),
      commitElsewhere: async () => source.commit(),
      rollBack: async () => {},
      purge: async () => source.purge(await source.now()),
    };
  },
  async () => {},
);

let database: ScratchDatabase & { drop(): Promise<void> };
async function openBinlog(): Promise<Trial & { readonly database: ScratchDatabase }> {
  database = await scratchDatabase('log');
  const { root } = database;
  await root.query(
    'CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(60)); CREATE TABLE other (id INT PRIMARY KEY AUTO_INCREMENT)',
  );
  return {
    database,
    source: binlogSource({
      database,
      tables: [{ database: database.schema, table: 'item', columns: ['id', 'name'] }],
    }),
    commit: (...steps) => runSteps(root, steps, 'COMMIT'),
    rollBack: (...steps) => runSteps(root, steps, 'ROLLBACK'),
    commitElsewhere: async () => void (await root.query('INSERT INTO other VALUES (NULL)')),
    async purge() {
      await root.query('FLUSH BINARY LOGS');
      const list = async () => (await root.query('SHOW BINARY LOGS'))[0] as { Log_name: string }[];
      const newest = (await list()).at(-1)!.Log_name;
      // The server keeps a file while it believes that somebody reads it.
      await until(async () => {
        await root.query(`PURGE BINARY LOGS TO '${newest}'`);
        return (await list()).length === 1;
      }, 'purged');
    },
  };
}
// Purging is for a whole server, so the binlog is tried on one of its own.

describe('on a server of its own', () => {
  let stop: () => Promise<void>;
  const shared = process.env['STRANGLER_MYSQL_URL'];
  beforeAll(async () => {
    const server = await startServer();
    stop = server.stop;
    process.env['STRANGLER_MYSQL_URL'] = server.url;
  });
  afterAll(async () => {
    process.env['STRANGLER_MYSQL_URL'] = shared;
    await stop();
  });

  changeSourceConformance('the binlog', openBinlog, () => database.drop());
  changeSourceConformance(
    'the binlog by position',
    async () => {
      const trial = await openBinlog();
      const now = async () => offsetOf(await logEnd(database.root, 'file'));
      return { ...trial, source: { ...trial.source, now } };
    },
    () => database.drop(),
  );

  describe('the binlog', () => {
    let trial: Awaited<ReturnType<typeof openBinlog>>;
    beforeAll(async () => {
      trial = await openBinlog();
    });
    afterAll(() => database.drop());

    it('is read across its files', async () => {
      const from = await trial.source.now();
      for (let round = 1; round <= 4; round++) {
        await trial.commit({ insert: { id: round, name: 'file' } });
        await trial.database.root.query('FLUSH BINARY LOGS');
      }
      const transactions = await read(trial.source, from, 4);
      expect(await read(trial.source, transactions[1]?.next ?? from, 2)).toEqual(transactions.slice(2));
      const start = offsetOf(await logEnd(database.root, 'file'));
      for (let round = 5; round <= 8; round++) {
        await trial.commit({ insert: { id: round, name: 'file' } });
        await trial.database.root.query('FLUSH BINARY LOGS');
      }
      const byPosition = await read(trial.source, start, 4);
      expect(new Set(byPosition.map(({ next }) => next.text.split(':')[0])).size).toBe(4);
      expect(await read(trial.source, byPosition[1]?.next ?? start, 2)).toEqual(byPosition.slice(2));
    });

    it('follows a statement that comes before the columns were read for the first time', async () => {
      const from = await trial.source.now();
      await trial.commit({ insert: { id: 71, name: 'before' } });
      await trial.database.root.query(
        "ALTER TABLE item ADD COLUMN first_of_all VARCHAR(9) FIRST; INSERT INTO item (id, name) VALUES (72, 'behind')",
      );
      expect(changesOf(await read(trial.source, from, 2)).flat()).toEqual([
        { operation: 'insert', before: null, after: { id: '71', name: 'before' } },
        { operation: 'insert', before: null, after: { first_of_all: null, id: '72', name: 'behind' } },
      ]);
      await trial.database.root.query('ALTER TABLE item DROP COLUMN first_of_all');
    });

    it('is held while nobody takes what was read, and loses nothing', async () => {
      const source = binlogSource({
        database,
        tables: [{ database: database.schema, table: 'item', columns: ['id'] }],
        bufferedBytes: 10_000,
      });
      const from = await source.now();
      const names = 'x'.repeat(60);
      for (let round = 0; round < 60; round++)
        await database.root.query(
          `INSERT INTO item VALUES ${Array.from({ length: 50 }, (_, index) => `(${10_000 + round * 50 + index}, '${names}')`).join(',')}`,
        );
      const end = new AbortController();
      const ids: string[] = [];
      for await (const transaction of source.stream(from, end.signal)) {
        if (ids.length < 500) await new Promise((done) => setTimeout(done, 5));
        ids.push(...transaction.changes.map(({ after }) => String(after?.['id'])));
        if (ids.length === 3_000) break;
      }
      expect(ids).toEqual(Array.from({ length: 3_000 }, (_, index) => String(10_000 + index)));
    });

    it('that cannot be read for now says so in a way that can be tried again', async () => {
      const from = await trial.source.now();
      const reading = read(trial.source, from, 1);
      await new Promise((done) => setTimeout(done, 300));
      const [threads] = await database.root.query(
        "SELECT id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
      );
      for (const { id } of threads as { id: number }[]) await database.root.query(`KILL ${id}`);
      await expect(reading).rejects.toMatchObject({ code: 'LOG_UNREADABLE' });
    });

    it('that is no log of this server is an offset out of reach', async () => {
      await expect(read(trial.source, { text: 'binlog.999999:4' }, 1)).rejects.toMatchObject({
        code: 'LOG_PURGED',
      });
      await expect(read(trial.source, { text: 'nonsense' }, 1)).rejects.toMatchObject({
        code: 'LOG_OFFSET_INVALID',
      });
    });

    it('by ids says which engine they are of, and goes on with the same ones after a restart of the reader', async () => {
      const from = await trial.source.now();
      expect(from.text).toMatch(/^(mysql-gtid:[0-9a-f-]{36}:1-\d+|mariadb-gtid:0-1-\d+)$/);
      await trial.commitElsewhere();
      await trial.commit({ insert: { id: 66_666, name: 'id' } });
      const [transaction] = await read(trial.source, from, 1);
      expect(transaction?.next).toEqual(await trial.source.now());
      expect(transaction?.next.text.endsWith(transaction.id.split(/[:-]/).at(-1) ?? '?')).toBe(true);
    });

    it('of a server that was reset is lost, not waited for', async () => {
      const from = await trial.source.now();
      const isMariaDb = (await engineOf(database.root)) === 'mariadb';
      await database.root.query(isMariaDb ? 'RESET MASTER' : 'RESET BINARY LOGS AND GTIDS');
      await expect(read(trial.source, from, 1)).rejects.toMatchObject({ code: 'LOG_LOST' });
    });

    it('with transactions in a form that cannot be decoded stops with a sentence', async () => {
      if ((await engineOf(database.root)) === 'mariadb') return;
      const insert = async (setting: string, off: string, sql: string) => {
        const from = await trial.source.now();
        await database.root.query(`SET ${setting}; ${sql}; SET ${off}`);
        return read(trial.source, from, 1);
      };
      await expect(
        insert(
          'binlog_transaction_compression = ON',
          'binlog_transaction_compression = OFF',
          "INSERT INTO item VALUES (55551, 'zip')",
        ),
      ).rejects.toMatchObject({
        code: 'LOG_NOT_DECODABLE',
        message: expect.stringContaining('binlog_transaction_compression = OFF'),
      });
      await database.root.query(
        `CREATE TABLE paper (id INT PRIMARY KEY, body JSON); INSERT INTO paper VALUES (1, '{"a": "${'x'.repeat(100)}", "b": 1}')`,
      );
      await expect(
        insert(
          "binlog_row_value_options = 'PARTIAL_JSON'",
          "binlog_row_value_options = ''",
          "UPDATE paper SET body = JSON_SET(body, '$.b', 2)",
        ),
      ).rejects.toMatchObject({ code: 'LOG_NOT_DECODABLE' });
    });

    it('compressed by MariaDB, event by event, is read', async () => {
      if ((await engineOf(database.root)) === 'mysql') return;
      await database.root.query('SET GLOBAL log_bin_compress = ON; SET GLOBAL log_bin_compress_min_len = 10');
      const connection = await scratchDatabase('zip');
      await connection.root.query(`USE ${database.schema}`);
      const from = await trial.source.now();
      const steps = ['a', 'b'].map((letter, index) => ({ id: 44_440 + index, name: letter.repeat(60) }));
      for (const { id, name } of steps)
        await connection.root.query('INSERT INTO item VALUES (?, ?)', [id, name]);
      await connection.drop();
      await database.root.query('SET GLOBAL log_bin_compress = OFF');
      expect(changesOf(await read(trial.source, from, 2))).toEqual(
        steps.map((insert) => [eventOf({ insert })]),
      );
    });

    it('leaves out what was rolled back to a savepoint, also where a temporary table has it logged', async () => {
      const from = await trial.source.now();
      const insert = { id: 55_550, name: 'stays' };
      await database.root.query(
        `CREATE TEMPORARY TABLE stage (id INT PRIMARY KEY) ENGINE=InnoDB; START TRANSACTION;
        INSERT INTO item VALUES (${insert.id}, '${insert.name}'); INSERT INTO stage VALUES (1); SAVEPOINT a;
        INSERT INTO item VALUES (55551, 'goes'); SAVEPOINT b; INSERT INTO stage VALUES (2); INSERT INTO item VALUES (55552, 'goes, too');
        ROLLBACK TO b; ROLLBACK TO SAVEPOINT a; INSERT INTO item VALUES (55553, 'comes'); RELEASE SAVEPOINT a; COMMIT;
        DROP TEMPORARY TABLE stage`,
      );
      expect(changesOf(await read(trial.source, from, 1))).toEqual([
        [eventOf({ insert }), eventOf({ insert: { id: 55_553, name: 'comes' } })],
      ]);
    });

    it('with an XA transaction of a captured table is not followed', async () => {
      const from = await trial.source.now();
      await database.root.query(
        "XA START 'x'; INSERT INTO item VALUES (77777, 'xa'); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
      );
      await expect(read(trial.source, from, 1)).rejects.toMatchObject({ code: 'STATEMENT_NOT_FOLLOWED' });
    });
  });
});
