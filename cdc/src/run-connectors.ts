import { parseArgs } from 'node:util';
import {
  EXIT,
  type KafkaSettings,
  loadPlan,
  type MigrationData,
  problemLine,
  reasonOf,
} from '@strangler/contracts';
import { connectApi, type ConnectorStatus } from './connect-api.js';
import { connect, databaseOf } from './connect.js';
import { type ConnectorConfig, connectorNames, differingKeys } from './connector-config.js';
import { kafkaClient } from './kafka-client.js';
import { kafkaSettingsOf, plannedConnector } from './planned-source.js';

export type Output = { readonly out: (line: string) => void; readonly err: (line: string) => void };

const VERBS = ['apply', 'remove', 'pause', 'resume', 'restart', 'status'] as const;
type Verb = (typeof VERBS)[number];
const USAGE = `write "strangler-sync connectors ${VERBS.join('|')} --plan FILE [--migration NAME] [--dry-run] [--json]"`;

/** What a verb has done to one connector, or would do. */
type Report = {
  readonly migration: string;
  readonly connector: string;
  readonly did: 'created' | 'changed' | 'removed' | 'paused' | 'resumed' | 'restarted' | 'nothing';
  /** Keys in which it differed; never their values, which hold a password. */
  readonly differs: readonly string[];
  readonly status: ConnectorStatus | null;
};

type Subject = { readonly migration: string; readonly data: MigrationData; readonly settings: KafkaSettings };

/**
 * The connectors of a plan, from the command line. `--dry-run` says what would be done and does nothing. Resolves with the exit code: 0 done, and for
 * `status` all run as the plan says; 1 failed or not so; 2 bad input.
 */
export async function runConnectors(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  { out, err }: Output,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      plan: { type: 'string' },
      migration: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const verb = VERBS.find((name) => name === positionals[0]);
  if (!verb || positionals.length > 1 || values.plan === undefined) {
    err(USAGE);
    return EXIT.badInput;
  }
  const loaded = await loadPlan(values.plan, environment).catch((error: unknown) => reasonOf(error));
  if (typeof loaded === 'string') {
    err(loaded);
    return EXIT.badInput;
  }
  if (!loaded.ok) {
    for (const problem of loaded.problems) err(problemLine(problem));
    return EXIT.badInput;
  }
  const { plan } = loaded;
  const subjects = Object.entries(plan.migrations).flatMap(([migration, { data }]): readonly Subject[] => {
    const settings = data && kafkaSettingsOf(plan, data);
    return data && settings && (values.migration ?? migration) === migration
      ? [{ migration, data, settings }]
      : [];
  });
  if (subjects.length === 0) {
    err(
      'no migration of the plan comes through Kafka: set "sync.source" to "kind: kafka", or correct the name',
    );
    return EXIT.badInput;
  }
  try {
    const reports: Report[] = [];
    for (const subject of subjects) {
      const database = databaseOf(subject.data.from, plan.databases[subject.data.from] as string);
      const source = await connect(database);
      try {
        const config = await plannedConnector(
          subject.settings,
          subject.migration,
          subject.data,
          database,
          source,
        );
        reports.push(await act(verb, subject, config, values['dry-run']));
      } finally {
        source.destroy();
      }
    }
    if (values.json) out(JSON.stringify({ dryRun: values['dry-run'], connectors: reports }));
    else for (const report of reports) out(lineOf(verb, report, values['dry-run']));
    return verb !== 'status' || reports.every(isAsPlanned) ? EXIT.ok : EXIT.failed;
  } catch (error) {
    err(reasonOf(error));
    return EXIT.failed;
  }
}

async function act(
  verb: Verb,
  { migration, settings }: Subject,
  config: ConnectorConfig,
  isDry: boolean,
): Promise<Report> {
  const names = connectorNames(settings, migration);
  const { connector } = names;
  const api = connectApi(settings.connect);
  const found = await api.configOf(connector);
  const differs = found ? differingKeys(config, found) : [];
  const status = found && (await api.status(connector));
  const did = ((): Report['did'] => {
    if (verb === 'apply') return !found ? 'created' : differs.length > 0 ? 'changed' : 'nothing';
    if (!found || verb === 'status') return 'nothing';
    if (verb === 'restart') return status && hasFailed(status) ? 'restarted' : 'nothing';
    return verb === 'remove' ? 'removed' : verb === 'pause' ? 'paused' : 'resumed';
  })();
  if (found && verb === 'apply' && differs.includes('table.include.list'))
    throw new Error(
      `connector "${connector}" does not know the columns of tables that are new to it: roll migration "${migration}" back to "legacy", run "connectors remove", then "connectors apply"`,
    );
  if (!isDry && did !== 'nothing') {
    if (verb === 'apply') await api.put(connector, config);
    if (verb === 'pause') await api.pause(connector);
    if (verb === 'resume') await api.resume(connector);
    if (verb === 'restart') await api.restartFailed(connector);
    if (verb === 'remove') {
      await api.remove(connector);
      await removeTopics(settings, [names.topic, names.schemaHistory]);
    }
  }
  return { migration, connector, did, differs, status: (await api.status(connector)) ?? null };
}

/** A connector that comes again begins anew, so what the old one has written would only mislead. */
async function removeTopics(settings: KafkaSettings, topics: readonly string[]): Promise<void> {
  const admin = kafkaClient(settings.brokers).admin();
  try {
    await admin.connect();
    const there = await admin.listTopics();
    await admin.deleteTopics({ topics: topics.filter((topic) => there.includes(topic)) });
  } finally {
    await admin.disconnect();
  }
}

const hasFailed = ({ state, tasks }: ConnectorStatus): boolean =>
  state === 'FAILED' || tasks.some((task) => task.state === 'FAILED');

const isAsPlanned = ({ status, differs }: Report): boolean =>
  status?.state === 'RUNNING' &&
  status.tasks.length > 0 &&
  status.tasks.every(({ state }) => state === 'RUNNING') &&
  differs.length === 0;

function lineOf(verb: Verb, { connector, migration, did, differs, status }: Report, isDry: boolean): string {
  const done =
    verb === 'status' ? '' : `${isDry ? 'would be ' : ''}${did === 'nothing' ? 'left as it is' : did}; `;
  const tasks = status?.tasks.map(
    ({ id, state, reason }) => `task ${id} ${state}${reason === null ? '' : ` (${reason})`}`,
  );
  const state = status ? [status.state, ...(tasks ?? [])].join(', ') : 'not there';
  const differing = differs.length === 0 ? '' : `; not as the plan says: ${differs.join(', ')}`;
  return `${connector} (migration "${migration}"): ${done}${state}${differing}`;
}
