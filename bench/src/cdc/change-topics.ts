import type { ChangeEvent, Row, SourceTransaction } from '@strangler/contracts';
import { Kafka, logLevel } from 'kafkajs';

/** The same changes twice: as the connector of the toolkit writes them, and with the schemas that the sink cannot do without. */
export type ChangeTopics = { readonly ours: string; readonly sinks: string };

/** A request is one batch to the broker, which takes a megabyte: records with schemas have two kilobytes. */
const RECORDS_A_REQUEST = 200;
const NUMBERS = new Set(['id', 'quantity', 'owner_id', 'active']);
const TYPES: Readonly<Record<string, string>> = {
  id: 'int64',
  quantity: 'int32',
  owner_id: 'int64',
  active: 'int16',
};
const OPERATIONS: Readonly<Record<string, string>> = { insert: 'c', update: 'u', delete: 'd' };

/** Numbers of microseconds, as Debezium writes a DATETIME(6). */
const ADDED = Date.parse('2026-01-02T03:04:05.678Z') * 1_000 + 901;

const valuesOf = (row: Row | null): Record<string, unknown> | null =>
  row &&
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      name === 'added' ? ADDED : NUMBERS.has(name) ? Number(value) : value,
    ]),
  );

const fieldsOf = (names: readonly string[]) =>
  names.map((field) =>
    field === 'added'
      ? { type: 'int64', optional: true, name: 'io.debezium.time.MicroTimestamp', version: 1, field }
      : { type: TYPES[field] ?? 'string', optional: field !== 'id', field },
  );

/** The schemas of a key and of Debezium's envelope, without the block on the source, which the sink does not read. */
function schemasOf(names: readonly string[]) {
  const image = (field: string) => ({
    type: 'struct',
    optional: true,
    name: 'bench.product.Value',
    field,
    fields: fieldsOf(names),
  });
  return {
    key: { type: 'struct', optional: false, name: 'bench.product.Key', fields: fieldsOf(['id']) },
    value: {
      type: 'struct',
      optional: false,
      name: 'bench.product.Envelope',
      version: 2,
      fields: [image('before'), image('after'), { type: 'string', optional: false, field: 'op' }],
    },
  };
}

/** Creates the two topics, of one partition each, and fills them. */
export async function fillTopics(
  brokers: readonly string[],
  topics: ChangeTopics,
  transactions: Iterable<SourceTransaction>,
): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [topics.ours, topics.sinks].map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
  });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let ours: { value: string }[] = [];
  let sinks: { key: string; value: string }[] = [];
  let schemas: ReturnType<typeof schemasOf> | undefined;
  let schemaTexts = { key: '', value: '' };
  const send = async () => {
    await producer.sendBatch({
      topicMessages: [
        { topic: topics.ours, messages: ours },
        { topic: topics.sinks, messages: sinks },
      ],
    });
    [ours, sinks] = [[], []];
  };
  const add = (
    { operation, database, table, before, after }: ChangeEvent,
    position: number,
    row: number,
    id: string,
  ) => {
    const images = { before: valuesOf(before), after: valuesOf(after), op: OPERATIONS[operation] };
    const source = { snapshot: 'false', db: database, table, file: 'binlog.000001', pos: position, row };
    ours.push({ value: JSON.stringify({ ...images, source, transaction: { id } }) });
    const image = (after ?? before) as Row;
    if (!schemas) {
      schemas = schemasOf(Object.keys(image));
      schemaTexts = { key: JSON.stringify(schemas.key), value: JSON.stringify(schemas.value) };
    }
    sinks.push({
      key: `{"schema":${schemaTexts.key},"payload":{"id":${image['id'] as string}}}`,
      value: `{"schema":${schemaTexts.value},"payload":${JSON.stringify(images)}}`,
    });
  };
  let number = 0;
  for (const { changes } of transactions) {
    const id = `0-1-${++number}`;
    for (const [row, change] of changes.entries()) add(change, number * 1_000, row, id);
    ours.push({ value: JSON.stringify({ status: 'END', id, ts_ms: 1_700_000_000_000 }) });
    if (ours.length >= RECORDS_A_REQUEST) await send();
  }
  if (ours.length > 0) await send();
  await producer.disconnect();
}
