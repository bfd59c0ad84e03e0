import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const read = (name: string) => readFileSync(join(import.meta.dirname, '../connect', name), 'utf8');
type Service = {
  readonly image: string;
  readonly ports: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};
const { services } = parse(read('compose.yaml')) as {
  services: Readonly<Record<'broker' | 'connect', Service>>;
};
const pinned = (name: string) => new RegExp(`<${name}>(.+)</${name}>`).exec(read('pom.xml'))?.[1];

// No container is started here: this holds only that the file says the same as what is run without Docker.
describe('the compose file', () => {
  it('runs the versions that the jars have', () => {
    expect(services.broker.image).toBe(`apache/kafka:${pinned('kafka.version')}`);
    expect(services.connect.image).toBe(`quay.io/debezium/connect:${pinned('debezium.version')}`);
  });

  it('is reached from this machine only', () => {
    for (const port of [...services.broker.ports, ...services.connect.ports])
      expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('creates no topic by mistake, and lets no zombie of a worker write', () => {
    expect(services.broker.environment['KAFKA_AUTO_CREATE_TOPICS_ENABLE']).toBe('false');
    expect(services.connect.environment['CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT']).toBe('enabled');
  });
});
