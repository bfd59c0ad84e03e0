import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer } from '../../scripts/mysql-server.mjs';
import { kafkaLog } from './kafka-log.js';
import { kafkaSource } from './kafka-source.js';
import { seeded, until } from './testing/databases.js';
import { KafkaMachine } from './testing/kafka.js';
import { openShop, type Shop, settledBy, writeAtRandom } from './testing/shop.js';

describe('a migration that comes through Kafka', () => {
  let machine: KafkaMachine;
  let shop: Shop;
  let server: { readonly url: string; readonly stop: () => Promise<void> };
  let connector: Awaited<ReturnType<KafkaMachine['connector']>>;
  beforeAll(async () => {
    machine = new KafkaMachine();
    server = await startServer();
    shop = await openShop(server.url);
    await shop.fill(300);
    connector = await machine.connector(
      shop.from,
      ['product', 'stock'].map((table) => ({ database: shop.from.schema, table, columns: [] })),
    );
  });
  afterAll(async () => {
    await connector.remove();
    await shop.drop();
    await server.stop();
  });
  const sync = () =>
    shop.sync({
      sourceOf: (tables) =>
        kafkaSource({
          database: shop.from,
          tables,
          ...connector,
          connect: connector.api,
          log: kafkaLog({ brokers: machine.brokers, topic: connector.topic, group: connector.connector }),
          silenceMs: 4_000,
        }),
    });

  it('loses nothing and applies nothing twice while broker, worker and connector are killed and stopped', async () => {
    const running = sync();
    await running.wish('run');
    let isEnded = false;
    const writing = writeAtRandom(await shop.writer(), seeded(7), () => isEnded, 5);
    const evidence = () => running.evidence(Date.now());
    await until(() => evidence().state === 'tailing', 'tailing', 60_000);

    await machine.kill('broker');
    await machine.start('broker');
    await settledBy(shop, connector.connector, evidence);

    await machine.kill('worker');
    await machine.start('worker');
    await settledBy(shop, connector.connector, evidence);

    // A worker that stands still for a while, as in a pause of its machine.
    process.kill(machine.pids.worker, 'SIGSTOP');
    await new Promise((done) => setTimeout(done, 3_000));
    process.kill(machine.pids.worker, 'SIGCONT');

    await settledBy(shop, connector.connector, evidence);

    isEnded = true;
    expect(await writing).toBeGreaterThan(100);
    await settledBy(shop, connector.connector, evidence);
    expect(await shop.differences()).toEqual([]);
    await running.stop();
  }, 200_000);

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
    expect(await shop.differences()).toEqual([]);
    await young.stop();
    await old.stop();
  }, 120_000);
});
