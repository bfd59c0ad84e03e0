import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeEvent } from '@strangler/contracts';
import { startServer } from '../../scripts/mysql-server.mjs';
import { binlogSource } from './binlog-source.js';
import {
  changeSourceConformance,
  eventOf,
  read,
  type Step,
  type Trial,
} from './change-source.conformance.js';
import { fakeSource } from './fake-source.js';
import { type ScratchDatabase, scratchDatabase, until } from './testing/databases.js';

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
  const run = async (steps: readonly Step[], end: 'COMMIT' | 'ROLLBACK') => {
    await root.query('START TRANSACTION');
    for (const step of steps)
      if ('insert' in step)
        await root.query('INSERT INTO item VALUES (?, ?)', [step.insert.id, step.insert.name]);
      else if ('update' in step)
        await root.query('UPDATE item SET id = ?, name = ? WHERE id = ?', [
          step.update.id,
          step.update.name,
          step.from.id,
        ]);
      else await root.query('DELETE FROM item WHERE id = ?', [step.delete.id]);
    await root.query(end);
  };
  return {
    database,
    source: binlogSource({
      database,
      tables: [{ database: database.schema, table: 'item', columns: ['id', 'name'] }],
    }),
    commit: (...steps) => run(steps, 'COMMIT'),
    rollBack: (...steps) => run(steps, 'ROLLBACK'),
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
      expect(new Set(transactions.map(({ next }) => next.text.split(':')[0])).size).toBe(4);
      expect(await read(trial.source, transactions[1]?.next ?? from, 2)).toEqual(transactions.slice(2));
    });

    it('is held while nobody takes what was read, and loses nothing', async () => {
      const source = binlogSource({
        database,
        tables: [{ database: database.schema, table: 'item', columns: ['id'] }],
        bufferedChanges: 10,
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

    it('with an XA transaction of a captured table is not followed', async () => {
      const from = await trial.source.now();
      await database.root.query(
        "XA START 'x'; INSERT INTO item VALUES (77777, 'xa'); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
      );
      await expect(read(trial.source, from, 1)).rejects.toMatchObject({ code: 'STATEMENT_NOT_FOLLOWED' });
    });
  });
});
