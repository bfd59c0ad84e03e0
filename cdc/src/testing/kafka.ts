import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { KafkaSettings } from '@strangler/contracts';
import { endProcess, startBroker, startWorker } from '../../../scripts/connect-server.mjs';
import { kafkaClient } from '../kafka-client.js';
import type { CapturedTable } from '../change-source.js';
import { connectApi } from '../connect-api.js';
import { connect, controlSchemaOf, type Database } from '../connect.js';
import { connectorConfig, connectorNames } from '../connector-config.js';
import { connectorWatch } from '../connector-watch.js';
import { ensureTables, SOURCE_TABLES } from '../control-tables.js';
import { kafkaLog } from '../kafka-log.js';
import { kafkaSource, type KafkaSourceOptions } from '../kafka-source.js';
import { watermarkTable } from '../watermark.js';
import { engineOf, until } from './databases.js';

type Place = {
  readonly libs: string;
  readonly folder: string;
  readonly broker: number;
  readonly controller: number;
  readonly connect: number;
  readonly pids: { broker: number; worker: number };
};

/** The one broker and worker of this run; `pids` are those of now. */
export class KafkaMachine {
  readonly #file = process.env['STRANGLER_KAFKA'] ?? '';
  readonly #place = JSON.parse(readFileSync(this.#file, 'utf8')) as Place;
  readonly brokers = [`127.0.0.1:${this.#place.broker}`];
  readonly connectUrl = `http://127.0.0.1:${this.#place.connect}`;
  readonly kafka = kafkaClient(this.brokers);

  get pids(): Readonly<Place['pids']> {
    return this.#place.pids;
  }

  settings(more: Partial<KafkaSettings> = {}): KafkaSettings {
    return {
      kind: 'kafka',
      brokers: this.brokers,
      connect: this.connectUrl,
      topicPrefix: 'strangler',
      replication: 1,
      retentionHours: 1,
      serverIds: 1_700_000_000,
      ...more,
    };
  }

  async kill(which: 'broker' | 'worker'): Promise<void> {
    process.kill(this.pids[which], 'SIGKILL');
    await endProcess(this.pids[which]);
  }

  async start(which: 'broker' | 'worker'): Promise<void> {
    const start = which === 'broker' ? startBroker : startWorker;
    this.#place.pids[which] = await start({ ...this.#place, isTied: true });
    writeFileSync(this.#file, JSON.stringify(this.#place));
  }

  /** Lets a topic forget all before an offset; all it has when left out. */
  async purge(topic: string, before?: bigint): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      // kafkajs does not find the leader of a topic that it was not asked of before.
      const [partition] = await admin.fetchTopicOffsets(topic);
      await until(
        () =>
          admin
            .deleteTopicRecords({
              topic,
              partitions: [{ partition: 0, offset: String(before ?? partition?.high) }],
            })
            .then(
              () => true,
              () => admin.fetchTopicOffsets(topic).then(() => false),
            ),
        'records deleted',
      );
    } finally {
      await admin.disconnect();
    }
  }

  /** A connector of its own for tables of a database, and the source that reads it. */
  async connector(
    database: Database,
    tables: readonly CapturedTable[],
    more: Partial<KafkaSourceOptions> = {},
  ) {
    const migration = `m-${randomBytes(4).toString('hex')}`;
    const settings = this.settings();
    const names = connectorNames(settings, migration);
    const api = connectApi(this.connectUrl);
    const root = await connect(database);
    await ensureTables(root, controlSchemaOf(database), SOURCE_TABLES);
    const engine = await engineOf(root);
    root.destroy();
    const captured = [...tables, watermarkTable(controlSchemaOf(database))];
    const config = connectorConfig({
      settings,
      migration,
      from: database,
      engine,
      tables: captured.map(({ database: schema, table }) => `${schema}.${table}`),
    });
    await api.put(names.connector, config);
    const watch = connectorWatch({ api, connector: names.connector });
    const log = kafkaLog({ brokers: this.brokers, topic: names.topic, group: names.connector });
    return {
      ...names,
      api,
      log,
      config,
      watch,
      source: kafkaSource({ database, tables, ...names, log, watch, ...more }),
      remove: async () => void (await api.remove(names.connector)),
    };
  }
}
