import { describe, expect, it } from '@jest/globals';
import type { KafkaSettings } from '@strangler/contracts';
import { databaseOf } from './connect.js';
import { connectorConfig, differingKeys } from './connector-config.js';

const settings: KafkaSettings = {
  kind: 'kafka',
  brokers: ['kafka-1:9092', 'kafka-2:9092'],
  connect: 'http://connect:8083',
  topicPrefix: 'strangler',
  replication: 3,
  retentionHours: 24,
  serverIds: 1_700_000_000,
};
const from = databaseOf('legacy', 'mysql://us%40er:p%3Aw@db:3307/shop');
const made = (migration = 'catalog', more: Partial<KafkaSettings> = {}) =>
  connectorConfig({
    settings: { ...settings, ...more },
    migration,
    from,
    engine: 'mariadb',
    tables: ['shop.product', 'shop.pro$duct+', 'shop.with,comma'],
  });

describe('the configuration of a connector', () => {
  it('captures exactly the tables of its migration, whatever their names are', () => {
    const patterns = (made()['table.include.list'] ?? '')
      .split(',')
      .map((text) => new RegExp(`^(?:${text})$`));
    const taken = (table: string) => patterns.some((pattern) => pattern.test(table));
    expect(patterns).toHaveLength(3);
    expect(['shop.product', 'shop.pro$duct+', 'shop.with,comma'].every(taken)).toBe(true);
    expect(['shopXproduct', 'shop.product2', 'xshop.product', 'shop.with'].some(taken)).toBe(false);
  });

  it('lets no two migrations meet: names, topics and server ids are their own', () => {
    const [one, two] = [made('catalog'), made('orders')];
    for (const key of [
      'topic.prefix',
      'transforms.one.replacement',
      'database.server.id',
      'schema.history.internal.kafka.topic',
    ])
      expect(one[key]).not.toBe(two[key]);
    expect(Number(one['database.server.id'])).toBeGreaterThanOrEqual(settings.serverIds);
  });

  it('is the same each time, and says which keys another one differs in', () => {
    expect(made()).toEqual(made());
    expect(differingKeys(made(), { ...made(), name: 'strangler-catalog' })).toEqual([]);
    expect(
      differingKeys(made(), { ...made(), 'snapshot.mode': 'initial', 'errors.tolerance': 'all' }),
    ).toEqual(['snapshot.mode', 'errors.tolerance']);
    expect(differingKeys(made(), { ...made(), 'added.by.hand': '1' })).toEqual(['added.by.hand']);
  });

  it('takes up a connection that is dead within seconds', () => {
    for (const key of [
      'connect.keep.alive.interval.ms',
      'connect.timeout.ms',
      'retriable.restart.connector.wait.ms',
    ])
      expect(Number(made()[key])).toBeLessThanOrEqual(10_000);
  });

  it('takes host and secret from the plan when the workers have others', () => {
    expect(made()).toMatchObject({
      'database.hostname': 'db',
      'database.port': '3307',
      'database.user': 'us@er',
      'database.password': 'p:w',
    });
    expect(made('catalog', { databaseHost: 'inner:3306', databasePassword: '${file:/s:p}' })).toMatchObject({
      'database.hostname': 'inner',
      'database.port': '3306',
      'database.password': '${file:/s:p}',
    });
  });
});
