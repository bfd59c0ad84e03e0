import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConnectApi,
  connectApi,
  connectorConfig,
  connectorNames,
  controlSchemaOf,
  type Database,
  ensureTables,
  SOURCE_TABLES,
  watermarkTable,
} from '@strangler/cdc';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { cpuSeconds } from '../proxy/cpu-time.js';
import { type Servers, createDatabases, fillProduct } from './bench-databases.js';
import { fillTopics } from './change-topics.js';
import { type Lag, measureLag } from './lag-bench.js';
import { startFlow } from './start-flow.js';
import { writeLoad } from './write-load.js';

type Place = {
  readonly broker: number;
  readonly connect: number;
  readonly pids: { readonly worker: number };
};
export type KafkaPlace = {
  readonly brokers: readonly string[];
  readonly api: ConnectApi;
  readonly connectUrl: string;
  readonly workerPid: number;
};
export type SinkApply = {
  readonly sinkRowsPerSec: number;
  readonly ourRowsPerSec: number;
  readonly sinkCpuSeconds: number;
  readonly ourCpuSeconds: number;
  readonly rssMiB: number;
};

const DEADLINE_MS = 170_000;

/** Reads where broker and worker are. */
export function kafkaAt(file: string): KafkaPlace {
  const { broker, connect, pids } = JSON.parse(readFileSync(file, 'utf8')) as Place;
  const connectUrl = `http://127.0.0.1:${connect}`;
  return {
    brokers: [`127.0.0.1:${broker}`],
    connectUrl,
    api: connectApi(connectUrl),
    workerPid: pids.worker,
  };
}

/** As its documentation advises for throughput: one task, as the order of a table asks for, in batches of a thousand. */
const sinkConfig = (topic: string, { url, schema }: Database): Record<string, string> => {
  const { host, username, password } = new URL(url);
  return {
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    'tasks.max': '1',
    topics: topic,
    'connection.url': `jdbc:mariadb://${host}/${schema}?rewriteBatchedStatements=true`,
    'connection.username': decodeURIComponent(username),
    'connection.password': decodeURIComponent(password),
    'insert.mode': 'upsert',
    'delete.enabled': 'true',
    'primary.key.mode': 'record_key',
    'primary.key.fields': 'id',
    'schema.evolution': 'none',
    'collection.name.format': 'item',
    'batch.size': '1000',
    'consumer.override.max.poll.records': '1000',
    'consumer.override.auto.offset.reset': 'earliest',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'true',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
  };
};

/** Waits until the table is what it has to be, as far as a count and a sum tell. */
async function until(
  target: Connection,
  api: ConnectApi,
  name: string,
  isEnd: (row: RowDataPacket) => boolean,
) {
  for (const deadline = performance.now() + DEADLINE_MS; ; await delay(50)) {
    const [rows] = await target.query<RowDataPacket[]>('SELECT COUNT(*) count, MAX(id) last FROM item');
    if (isEnd(rows[0] as RowDataPacket)) return performance.now();
    const failed = (await api.status(name))?.tasks.find(({ state }) => state === 'FAILED');
    if (failed) throw new Error(`the sink has failed: ${failed.reason}`);
    if (performance.now() > deadline) throw new Error('the sink has not come to the end in time');
  }
}

/** The changes of `writeLoad` out of Kafka: by the sink, then by ours. */
export async function benchSink(
  servers: Servers,
  place: KafkaPlace,
  fill: number,
  rows: number,
): Promise<SinkApply> {
  const id = randomBytes(3).toString('hex');
  const topics = { ours: `bench.${id}.ours`, sinks: `bench.${id}.sinks` };
  const databases = await createDatabases(servers);
  const { from, to, target } = databases;
  const connector = `bench-${id}`;
  try {
    await fillTopics(place.brokers, topics, writeLoad(from.schema, fill, rows));
    const end = new Map<string, boolean>();
    let lastId = 0;
    for (const { changes } of writeLoad('', fill, rows))
      for (const { before, after } of changes) {
        const of = String((after ?? before)?.['id']);
        if (after) end.set(of, true);
        else end.delete(of);
        lastId = Math.max(lastId, Number(of));
      }
    // Both begin with an empty table; the start of neither is measured.
    const cpuBefore = cpuSeconds(place.workerPid) ?? 0;
    await place.api.put(connector, sinkConfig(topics.sinks, to));
    const sinkFrom = await until(target, place.api, connector, ({ count }) => Number(count) >= fill / 2);
    const sinkEnd = await until(
      target,
      place.api,
      connector,
      ({ count, last }) => Number(count) === end.size && Number(last) === lastId,
    );
    const sinkCpuSeconds = (cpuSeconds(place.workerPid) ?? 0) - cpuBefore;
    await place.api.remove(connector);
    await target.query('TRUNCATE TABLE item');
    const flow = startFlow({
      from: from.url,
      to: to.url,
      topic: { brokers: place.brokers, topic: topics.ours },
    });
    let ourFrom, ourEnd;
    try {
      [ourFrom, ourEnd] = await Promise.all([flow.applied(fill / 2), flow.applied(fill + rows)]);
    } finally {
      await flow.stop();
    }
    const told = await flow.stop();
    const [counted] = await target.query<RowDataPacket[]>('SELECT COUNT(*) count FROM item');
    if (Number(counted[0]?.['count']) !== end.size) throw new Error('ours came to another end than the sink');
    const perSec = (ms: number) => Math.round(((fill / 2 + rows) / ms) * 1000);
    return {
      sinkRowsPerSec: perSec(sinkEnd - sinkFrom),
      ourRowsPerSec: perSec(ourEnd - ourFrom),
      sinkCpuSeconds,
      ourCpuSeconds: told.cpuSeconds,
      rssMiB: told.rssMiB,
    };
  } finally {
    await place.api.remove(connector);
    await databases.drop();
  }
}

const settingsOf = ({ brokers, connectUrl }: KafkaPlace) => ({
  kind: 'kafka' as const,
  brokers: [...brokers],
  connect: connectUrl,
  topicPrefix: 'bench',
  replication: 1,
  retentionHours: 1,
  serverIds: 1_800_000_000,
});

async function engineOf(source: Connection): Promise<'mariadb' | 'mysql'> {
  const [version] = await source.query<RowDataPacket[]>('SELECT VERSION() version');
  return /mariadb/i.test(String(version[0]?.['version'])) ? 'mariadb' : 'mysql';
}

/** The lag of ours out of Debezium and Kafka, with the connector as the plan has it, under the load of the embedded flow. */
export async function lagThroughKafka(
  servers: Servers,
  place: KafkaPlace,
  seconds: number,
): Promise<Lag & { readonly rssMiB: number }> {
  const databases = await createDatabases(servers);
  const { from, to, source, target } = databases;
  const filled = 10_000;
  const migration = randomBytes(3).toString('hex');
  const settings = settingsOf(place);
  const { connector: name, topic } = connectorNames(settings, migration);
  try {
    await fillProduct(source, filled);
    // The connector finds all its tables when it begins.
    await ensureTables(source, controlSchemaOf(from), SOURCE_TABLES);
    const { database, table } = watermarkTable(controlSchemaOf(from));
    const tables = [`${from.schema}.product`, `${database}.${table}`];
    await place.api.put(
      name,
      connectorConfig({ settings, migration, from, engine: await engineOf(source), tables }),
    );
    const connector = { name, api: place.connectUrl };
    const flow = startFlow({
      from: from.url,
      to: to.url,
      topic: { brokers: place.brokers, topic, connector },
    });
    let lag: Lag;
    try {
      await flow.copied;
      lag = await measureLag({ source, target, filled, seconds });
    } finally {
      await flow.stop();
    }
    return { ...lag, rssMiB: (await flow.stop()).rssMiB };
  } finally {
    await place.api.remove(name);
    await databases.drop();
  }
}

/**
 * The lag of Debezium, Kafka and the sink under the load of the embedded flow: with the times at which Debezium's connector hands on as its documentation has them
 * (`poll.interval.ms` is half a second), or with those of our own connector.
 */
export async function lagOfSink(
  servers: Servers,
  place: KafkaPlace,
  seconds: number,
  times: 'documented' | 'ours',
): Promise<Lag> {
  const databases = await createDatabases(servers);
  const { from, to, source, target } = databases;
  const filled = 10_000;
  const migration = randomBytes(3).toString('hex');
  const settings = settingsOf(place);
  const names = connectorNames(settings, migration);
  const sink = `${names.connector}-sink`;
  try {
    await fillProduct(source, filled);
    const engine = await engineOf(source);
    const config = connectorConfig({ settings, migration, from, engine, tables: [`${from.schema}.product`] });
    const { 'poll.interval.ms': _, ...documented } = config;
    // Only rows go to the sink's topic, with their schemas.
    await place.api.put(names.connector, {
      ...(times === 'ours' ? config : documented),
      'provide.transaction.metadata': 'false',
      'include.schema.changes': 'false',
      'snapshot.mode': 'initial',
      'heartbeat.interval.ms': '0',
      'decimal.handling.mode': 'precise',
      'key.converter.schemas.enable': 'true',
      'value.converter.schemas.enable': 'true',
    });
    await place.api.put(sink, sinkConfig(names.topic, to));
    await until(target, place.api, sink, ({ count }) => Number(count) === filled);
    return await measureLag({ source, target, filled, seconds });
  } finally {
    for (const name of [sink, names.connector]) await place.api.remove(name);
    await databases.drop();
  }
}
