import { type MigrationData, type Plan, type Problem, reasonOf, StranglerError } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { baseTypeOf } from './column.js';
import { connectApi } from './connect-api.js';
import type { Database } from './connect.js';
import { ConfigResourceTypes, kafkaClient } from './kafka-client.js';
import { connectorNames, differingKeys } from './connector-config.js';
import { compileMapping } from './map.js';
import { kafkaSettingsOf, plannedConnector } from './planned-source.js';
import { shadowsOf } from './shadow-mappings.js';
import { columnOf, readTable, type Table } from './table.js';

const APPLY = 'run "strangler-sync connectors apply --plan FILE"';
const BINLOG = 'or let this database be captured by "kind: binlog"';

/** Everything that would keep the changes of a migration from coming through Kafka as they are. Changes nothing. */
export async function checkKafka(
  plan: Plan,
  migration: string,
  data: MigrationData,
  source: { readonly database: Database; readonly connection: Connection },
): Promise<readonly Problem[]> {
  const settings = kafkaSettingsOf(plan, data);
  if (!settings) return [];
  const problems: Problem[] = [];
  const path = `migrations.${migration}.data`;
  const { connector, topic } = connectorNames(settings, migration);
  const { database, connection } = source;

  const [modes] = await connection.query<RowDataPacket[]>('SELECT @@GLOBAL.sql_mode mode');
  for (const [index, whole] of data.tables.entries())
    for (const mapping of [whole, ...shadowsOf(whole).map((shadow) => shadow.mapping)]) {
      const table = await readTable(connection, database.schema, mapping.from);
      if (table)
        problems.push(
          ...checkCarried(
            table,
            compileMapping(mapping).reads,
            String(modes[0]?.['mode']),
            `${path}.tables[${index}]`,
          ),
        );
    }

  try {
    const api = connectApi(settings.connect);
    const wanted = await plannedConnector(settings, migration, data, database, connection);
    const found = await api.configOf(connector);
    if (!found)
      problems.push({
        code: 'CONNECTOR_MISSING',
        path,
        message: `connector "${connector}" is not there`,
        remedy: APPLY,
      });
    else {
      const keys = differingKeys(wanted, found);
      if (keys.length > 0)
        problems.push({
          code: 'CONNECTOR_DIFFERS',
          path,
          message: `connector "${connector}" is not as the plan says (${keys.join(', ')})`,
          remedy: APPLY,
        });
    }
  } catch (error) {
    if (!(error instanceof StranglerError)) throw error;
    problems.push({
      code: error.code,
      path: 'sync.source.connect',
      message: `Kafka Connect at "${settings.connect}" does not answer as it should (${error.message.split(':')[0] ?? ''})`,
      remedy: 'start it or correct the address',
    });
  }
  problems.push(...(await checkTopic(settings.brokers, topic)));
  return problems;
}

async function checkTopic(brokers: readonly string[], topic: string): Promise<readonly Problem[]> {
  const admin = kafkaClient(brokers, { connectionTimeout: 3_000, retry: { retries: 1 } }).admin();
  const path = 'sync.source.brokers';
  try {
    await admin.connect();
    // Connect creates it with the first record.
    if (!(await admin.listTopics()).includes(topic)) return [];
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]?.partitions.length ?? 0;
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }],
    });
    const policy = resources[0]?.configEntries[0]?.configValue;
    return [
      ...(partitions === 1
        ? []
        : [
            {
              code: 'TOPIC_PARTITIONED',
              path,
              message: `topic "${topic}" has ${partitions} partitions, among which order is lost`,
              remedy: 'remove the connector and apply it again',
            },
          ]),
      ...(policy === 'delete'
        ? []
        : [
            {
              code: 'TOPIC_COMPACTED',
              path,
              message: `topic "${topic}" is compacted (${policy ?? ''}), which takes changes away`,
              remedy: `set its "cleanup.policy" to "delete"`,
            },
          ]),
    ];
  } catch (error) {
    return [
      {
        code: 'BROKERS_UNREACHABLE',
        path,
        message: `"${brokers.join(', ')}" do not answer (${reasonOf(error)})`,
        remedy: 'start them or correct the addresses',
      },
    ];
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** Types that Debezium 3.5 cannot parse: a table that has one ends the connector, whatever is read of it. */
const UNPARSABLE = new Set(['inet6', 'inet4']);

/** What of a table Debezium 3.5 would change or lose without a word. Pure. */
export function checkCarried(
  table: Table,
  reads: readonly string[],
  sqlMode: string,
  path: string,
): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (message: string, remedy: string) =>
    problems.push({ code: 'COLUMN_NOT_CARRIED', path, message, remedy: `${remedy}, ${BINLOG}` });
  for (const column of table.columns) {
    const type = baseTypeOf(column.type);
    if (UNPARSABLE.has(type))
      refuse(
        `column "${column.name}" of source table "${table.name}" is a "${type}", at which Debezium ends`,
        'change its type',
      );
    else if (reads.includes(column.name) && column.kind === 'name')
      refuse(
        `column "${column.name}" of source table "${table.name}" is a "${type}", whose bytes Debezium mixes up`,
        'leave it out of the mapping',
      );
    else if (reads.includes(column.name) && column.kind === 'json')
      refuse(
        `column "${column.name}" of source table "${table.name}" is JSON of MySQL, which Debezium prints in another way than the server`,
        'leave it out of the mapping',
      );
  }
  const modes = new Set(sqlMode.split(','));
  const dates = reads.filter((name) => ['date', 'datetime'].includes(columnOf(table, name)?.kind ?? ''));
  const isStrict = modes.has('STRICT_ALL_TABLES') || modes.has('STRICT_TRANS_TABLES');
  if (dates.length > 0 && !(isStrict && modes.has('NO_ZERO_DATE') && modes.has('NO_ZERO_IN_DATE')))
    refuse(
      `columns ${dates.map((name) => `"${name}"`).join(', ')} of source table "${table.name}" may hold zero dates, which Debezium turns into NULL or 1970-01-01`,
      'add "NO_ZERO_DATE,NO_ZERO_IN_DATE" to the strict sql_mode of the server',
    );
  return problems;
}
