import {
  type CapturedTable,
  type ChangeSource,
  connectApi,
  connectorWatch,
  type Database,
  kafkaLog,
  kafkaSource,
  topicOffsetText,
} from '@strangler/cdc';
import type { Topic } from './start-flow.js';

/** The changes of a topic: from its first record where the bench has filled it, else as the flow reads its connector. */
export function sourceOfTopic(
  database: Database,
  tables: readonly CapturedTable[],
  { brokers, topic, connector }: Topic,
): ChangeSource {
  const source = kafkaSource({
    database,
    tables,
    connector: connector?.name ?? topic,
    topic,
    log: kafkaLog({ brokers, topic, group: topic }),
    // Nobody writes into a topic that was filled by the bench; asked for its connector, all is well.
    watch:
      connector === undefined
        ? async () => undefined
        : connectorWatch({ api: connectApi(connector.api), connector: connector.name }),
  });
  if (connector !== undefined) return source;
  const last = { kind: 'file', file: 'binlog.000001', position: 4, row: 0, half: 1 } as const;
  return { ...source, now: async () => topicOffsetText({ next: 0n, last, transaction: '' }) };
}
