import { type KafkaSettings, type MigrationData, type Plan, syncSourceOf } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { storedColumnHistory } from './column-history.js';
import { connectApi } from './connect-api.js';
import { controlSchemaOf, type Database, databaseOf } from './connect.js';
import { type ConnectorConfig, connectorConfig, connectorNames } from './connector-config.js';
import { connectorWatch } from './connector-watch.js';
import { kafkaLog } from './kafka-log.js';
import { kafkaSource } from './kafka-source.js';
import { sourceTablesOf } from './pair-names.js';
import { watermarkTable } from './watermark.js';

/** The settings when the plan lets the changes of a migration come through Kafka. */
export function kafkaSettingsOf(plan: Pick<Plan, 'sync'>, data: MigrationData): KafkaSettings | undefined {
  const source = syncSourceOf(plan.sync, data.from);
  return source.kind === 'kafka' ? source : undefined;
}

/** The source that the plan names for a migration; nothing for the one that is the default. */
export function plannedSource(
  plan: Plan,
  migration: string,
  data: MigrationData,
): { readonly sourceOf?: (captured: readonly CapturedTable[]) => ChangeSource } {
  const settings = kafkaSettingsOf(plan, data);
  if (!settings) return {};
  const [database, to] = [data.from, data.to].map((name) =>
    databaseOf(name, plan.databases[name] as string),
  ) as [Database, Database];
  const names = connectorNames(settings, migration);
  const watch = connectorWatch({ api: connectApi(settings.connect), connector: names.connector });
  return {
    sourceOf: (tables) =>
      kafkaSource({
        database,
        tables,
        ...names,
        log: kafkaLog({ brokers: settings.brokers, topic: names.topic, group: names.connector }),
        watch,
        history: storedColumnHistory(to, migration),
        yieldsTruncate: data.truncate === 'delete',
      }),
  };
}

/** What the connector of a migration has to be. Asks the source only which engine it is. */
export async function plannedConnector(
  settings: KafkaSettings,
  migration: string,
  data: MigrationData,
  from: Database,
  source: Connection,
): Promise<ConnectorConfig> {
  const [rows] = await source.query<RowDataPacket[]>('SELECT VERSION() version');
  const { database: schema, table } = watermarkTable(controlSchemaOf(from));
  return connectorConfig({
    settings,
    migration,
    from,
    engine: /mariadb/i.test(String(rows[0]?.['version'])) ? 'mariadb' : 'mysql',
    tables: [
      ...new Set(data.tables.flatMap(sourceTablesOf).map((name) => `${from.schema}.${name}`)),
      `${schema}.${table}`,
    ],
  });
}
