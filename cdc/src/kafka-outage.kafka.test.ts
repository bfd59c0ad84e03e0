import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { type PrivateServer, startServer } from '../../scripts/mysql-server.mjs';
import { databaseOf } from './connect.js';
import { kafkaLog } from './kafka-log.js';
import { kafkaSource } from './kafka-source.js';
import { seeded, until } from './testing/databases.js';
import { KafkaMachine } from './testing/kafka.js';
import { openShop, type Shop, settledBy, writeAtRandom } from './testing/shop.js';

const DEBEZIUM = { account: 'debezium', password: 'debezium-reads' };

describe('a migration that comes through Kafka', () => {
  let machine: KafkaMachine;
  let shop: Shop;
  let source: PrivateServer;
  let connector: Awaited<ReturnType<KafkaMachine['connector']>>;
  beforeAll(async () => {
    machine = new KafkaMachine();
    source = await startServer();
    shop = await openShop(source.url, process.env['STRANGLER_MYSQL_URL'] ?? '');
    await shop.fill(300);
    await shop.from.root.query(
      `CREATE USER ${DEBEZIUM.account}@'127.0.0.1' IDENTIFIED BY '${DEBEZIUM.password}'; GRANT ALL ON *.* TO ${DEBEZIUM.account}@'127.0.0.1'`,
    );
    const url = new URL(shop.from.url);
    [url.username, url.password] = [DEBEZIUM.account, DEBEZIUM.password];
    connector = await machine.connector(
      databaseOf('legacy', url.href),
      ['product', 'stock'].map((table) => ({ database: shop.from.schema, table, columns: [] })),
    );
  }, 60_000);
  afterAll(async () => {
    await connector.remove();
    await shop.to.root.query(
      `DROP DATABASE ${shop.to.schema}; DROP DATABASE IF EXISTS ${shop.to.schema}_strangler`,
    );
    await shop.to.root.end();
    await source.stop();
  });
  const sync = () =>
    shop.sync({
      sourceOf: (tables) =>
        kafkaSource({
          database: shop.from,
          tables,
          ...connector,
          log: kafkaLog({ brokers: machine.brokers, topic: connector.topic, group: connector.connector }),
          silenceMs: 4_000,
        }),
    });
  /** A server that was started again has dropped the connections of before. */
  const reconnect = async () => {
    shop.from.root.destroy();
    const root = await createConnection({ uri: shop.from.url, multipleStatements: true, dateStrings: true });
    root.on('error', () => {});
    await root.query("SET time_zone = '+00:00'");
    shop = { ...shop, from: { ...shop.from, root } };
  };
  /** The connections of Debezium in the server. */
  const debezium = async () => {
    const [rows] = await shop.from.root.query<RowDataPacket[]>(
      `SELECT ID id, COMMAND command FROM information_schema.PROCESSLIST WHERE USER = '${DEBEZIUM.account}'`,
    );
    return rows;
  };
  const dump = async (): Promise<number | undefined> =>
    (await debezium()).find(({ command }) => String(command).startsWith('Binlog Dump'))?.['id'] as number;
  const cut = async () => {
    for (const { id } of await debezium()) await shop.from.root.query(`KILL ${Number(id)}`).catch(() => {});
  };
  /** Writes until the function has done what hurts; answers what is lost or came twice. */
  async function survives(seed: number, hurt: () => Promise<void>): Promise<readonly string[]> {
    const running = sync();
    try {
      await running.wish('run');
      const evidence = () => running.evidence(Date.now());
      await until(() => evidence().state === 'tailing', 'tailing', 60_000);
      let isEnded = false;
      const writer = await shop.writer();
      writer.on('error', () => {});
      const writing = writeAtRandom(writer, seeded(seed), () => isEnded, 5).catch(() => {});
      await hurt();
      isEnded = true;
      await writing;
      await shop.from.root.query("INSERT INTO product (name) VALUES ('the last')");
      await settledBy(shop, connector.connector, evidence);
      expect(evidence()).toMatchObject({ state: 'tailing', problem: null });
      return await shop.differences(shop.from.root);
    } finally {
      await running.stop();
    }
  }
  const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

  it.each(['broker', 'worker'] as const)(
    'loses nothing and applies nothing twice when the %s is killed',
    (which) =>
      expect(
        survives(which.length, async () => {
          await machine.kill(which);
          await machine.start(which);
        }),
      ).resolves.toEqual([]),
    150_000,
  );

  it(
    'and when a worker stands still for a while, as in a pause of its machine',
    () =>
      expect(
        survives(7, async () => {
          process.kill(machine.pids.worker, 'SIGSTOP');
          await pause(3_000);
          process.kill(machine.pids.worker, 'SIGCONT');
        }),
      ).resolves.toEqual([]),
    120_000,
  );

  it(
    'and when the connections of the connector are ended in the database',
    () =>
      expect(
        survives(8, async () => {
          // Twice, for what takes a connection up again has to be taken up again itself.
          for (const time of ['first', 'second']) {
            const before = await dump();
            expect(before).toBeDefined();
            await cut();
            await until(async () => ![undefined, before].includes(await dump()), `a ${time} new one`, 40_000);
          }
        }),
      ).resolves.toEqual([]),
    120_000,
  );

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'and when the source database ends by %s and comes again',
    (signal) =>
      expect(
        survives(signal === 'SIGKILL' ? 9 : 10, async () => {
          await source.restart(signal);
          await reconnect();
        }),
      ).resolves.toEqual([]),
    150_000,
  );

  it(
    'and when the task of the connector fails, which is started again by itself',
    () =>
      expect(
        survives(11, async () => {
          const states = async () =>
            (await connector.api.status(connector.connector))?.tasks.map(({ state }) => state).join();
          await shop.from.root.query(`ALTER USER ${DEBEZIUM.account}@'127.0.0.1' ACCOUNT LOCK`);
          await cut();
          await fetch(
            `${machine.connectUrl}/connectors/${connector.connector}/restart?includeTasks=true&onlyFailed=false`,
            { method: 'POST' },
          );
          await until(async () => (await states()) === 'FAILED', 'the task has failed', 40_000);
          await shop.from.root.query(`ALTER USER ${DEBEZIUM.account}@'127.0.0.1' ACCOUNT UNLOCK`);
          await until(async () => (await states()) === 'RUNNING', 'the task runs again', 40_000);
        }),
      ).resolves.toEqual([]),
    150_000,
  );

  it('is taken over by a newer process, and the older one ends with a sentence', async () => {
    const [old, young] = [sync(), sync()];
    await old.wish('run');
    await until(() => old.evidence(0).state === 'tailing', 'tailing', 60_000);
    await young.wish('run');
    await until(() => young.evidence(0).state === 'tailing', 'tailing', 60_000);
    await until(() => old.evidence(0).state === 'stopped', 'the older one stopped', 30_000);
    expect(old.evidence(0).problem).toContain('is now synced by another process');
    await shop.from.root.query("UPDATE product SET name = 'once' WHERE id < 50");
    await settledBy(shop, connector.connector, () => young.evidence(0));
    expect(await shop.differences(shop.from.root)).toEqual([]);
    await young.stop();
    await old.stop();
  }, 120_000);
});
