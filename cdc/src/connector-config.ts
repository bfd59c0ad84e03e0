import type { KafkaSettings } from '@strangler/contracts';
import type { Database } from './connect.js';

export type ConnectorConfig = Readonly<Record<string, string>>;

/** What a migration has on Kafka's side: a connector, its one topic, and the topic where Debezium remembers columns. */
export type ConnectorNames = {
  readonly connector: string;
  readonly topic: string;
  readonly schemaHistory: string;
};

export const connectorNames = ({ topicPrefix }: KafkaSettings, migration: string): ConnectorNames => ({
  connector: `${topicPrefix}-${migration}`,
  topic: `${topicPrefix}.${migration}`,
  schemaHistory: `${topicPrefix}.${migration}.columns`,
});

export type ConnectorOptions = {
  readonly settings: KafkaSettings;
  readonly migration: string;
  readonly from: Database;
  readonly engine: 'mariadb' | 'mysql';
  /** `schema.table` of everything captured, the watermarks too. */
  readonly tables: readonly string[];
};

const CLASSES = {
  mariadb: 'io.debezium.connector.mariadb.MariaDbConnector',
  mysql: 'io.debezium.connector.mysql.MySqlConnector',
} as const;

/** FNV-1a of 32 bits (draft-eastlake-fnv), so that two migrations of one plan seldom meet. */
const hashOf = (text: string): number =>
  Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 16_777_619) >>> 0, 2_166_136_261);

/** Under which number a connector reads the log. */
export const connectorServerId = (
  { serverIds }: Pick<KafkaSettings, 'serverIds'>,
  connector: string,
): number => serverIds + (hashOf(connector) % 100_000);

const KEEP_ALIVE_MS = 5_000;

/** The topic where a restarted task finds the columns of the log's past must keep all of it. */
const FOR_EVER = '-1';

/** The whole configuration of a migration's connector. What differs from Debezium's defaults does so for the reason beside it. */
export function connectorConfig({
  settings,
  migration,
  from,
  engine,
  tables,
}: ConnectorOptions): ConnectorConfig {
  const { connector, topic, schemaHistory } = connectorNames(settings, migration);
  const url = new URL(from.url);
  const [host, port] = (settings.databaseHost ?? url.host).split(':');
  const hours = 3_600_000;
  return {
    'connector.class': CLASSES[engine],
    'tasks.max': '1',
    'database.hostname': host ?? '',
    'database.port': port ?? '3306',
    'database.user': decodeURIComponent(url.username),
    'database.password': settings.databasePassword ?? decodeURIComponent(url.password),
    'database.ssl.mode': engine === 'mariadb' ? 'disable' : 'preferred',
    // Of two readers with one number the server ends the older.
    'database.server.id': String(connectorServerId(settings, connector)),
    'topic.prefix': connector,
    'table.include.list': tables.map(asPattern).join(','),
    'schema.history.internal.kafka.bootstrap.servers': (settings.connectBrokers ?? settings.brokers).join(
      ',',
    ),
    'schema.history.internal.kafka.topic': schemaHistory,
    // Of the tables that exist only the captured ones are read: a type that Debezium cannot parse (INET6) in another one would end it.
    'schema.history.internal.store.only.captured.tables.ddl': 'true',
    // A statement that cannot be understood ends the connector: skipped, it would let rows be read with the wrong columns.
    'schema.history.internal.skip.unparseable.ddl': 'false',
    // Our own backfill copies the rows.
    'snapshot.mode': 'no_data',
    'snapshot.locking.mode': 'none',
    // The default is the bytes of the unscaled number.
    'decimal.handling.mode': 'string',
    // The default makes every number past 2^63 negative.
    'bigint.unsigned.handling.mode': 'precise',
    // The only mode that carries a TIME below zero and past a day.
    'time.precision.mode': 'adaptive_time_microseconds',
    // The default takes a YEAR of 0 to 99 for one of this or the last century.
    'enable.time.adjuster': 'false',
    'binary.handling.mode': 'base64',
    'tombstones.on.delete': 'false',
    // The default leaves TRUNCATE out.
    'skipped.operations': 'none',
    'include.schema.changes': 'true',
    'provide.transaction.metadata': 'true',
    'event.processing.failure.handling.mode': 'fail',
    'inconsistent.schema.handling.mode': 'fail',
    // Lost connections are taken up again without end.
    'errors.max.retries': '-1',
    'errors.tolerance': 'none',
    // A connection that says nothing for so long is made anew (the default is a minute); the server is asked for a sign at four fifths of it.
    'connect.keep.alive.interval.ms': String(KEEP_ALIVE_MS),
    'connect.timeout.ms': '10000',
    // How long a task that met a lost connection waits before it begins again; the default is ten seconds.
    'retriable.restart.connector.wait.ms': '2000',
    'heartbeat.interval.ms': '5000',
    // How long the connector collects before it hands on; the default is half a second, and all of it is lag.
    'poll.interval.ms': '10',
    // Rows, statements, heartbeats and ends of transactions in one order.
    transforms: 'one',
    'transforms.one.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.one.regex': '.*',
    'transforms.one.replacement': topic,
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': String(settings.replication),
    'topic.creation.default.cleanup.policy': 'delete',
    'topic.creation.default.retention.ms': String(settings.retentionHours * hours),
    'topic.creation.default.retention.bytes': FOR_EVER,
    'topic.creation.default.max.message.bytes': '67108864',
    'producer.override.max.request.size': '67108864',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'value.converter.decimal.format': 'BASE64',
  };
}

/** A pattern that takes this table and no other; a comma would end it, so it is written as its code. */
const asPattern = (table: string): string =>
  table.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(',', String.raw`\x2C`);

/** The keys in which a connector differs from what the plan says; those that Connect adds by itself do not count. */
export function differingKeys(wanted: ConnectorConfig, found: ConnectorConfig): readonly string[] {
  const own = new Set(['name']);
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].filter(
    (key) => !own.has(key) && wanted[key] !== found[key],
  );
}
