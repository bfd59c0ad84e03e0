import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectApi } from '@strangler/cdc';
import { runCommand } from '../run-command.js';
import type { KafkaPlace, Stand } from './stand.js';

const PROGRAM = resolve(import.meta.dirname, '../../../cdc/bin/strangler-sync.js');

/** The connector and the topics of one run. */
export type RunConnector = {
  pause(forMs: number): Promise<void>;
  remove(): Promise<void>;
};

/** What the plan of a run says of its source; connector and topic are its own. */
export const kafkaSettings = ({ brokers, connect }: KafkaPlace, { sourceSchema }: Stand): string =>
  `{ kind: kafka, brokers: ["${brokers.join('", "')}"], connect: "${connect}", topicPrefix: "${prefixOf(sourceSchema)}" }`;
const prefixOf = (schema: string): string => schema.replaceAll('_', '-');

/** Makes the connector as an operator does. */
export async function openConnector(place: KafkaPlace, stand: Stand, plan: string): Promise<RunConnector> {
  const folder = await mkdtemp(join(tmpdir(), 'strangler-faults-'));
  const file = join(folder, 'plan.yaml');
  await writeFile(file, plan);
  const environment = { SECRET: '0123456789abcdef', LEGACY: stand.syncSource, SERVICE: stand.syncTarget };
  const run = async (verb: string) => {
    const { code, err } = await runCommand(PROGRAM, ['connectors', verb, '--plan', file], environment);
    if (code !== 0) throw new Error(`connectors ${verb}: ${err}`);
  };
  await run('apply');
  const api = connectApi(place.connect);
  const name = `${prefixOf(stand.sourceSchema)}-money`;
  return {
    async pause(forMs) {
      await api.pause(name);
      await delay(forMs);
      await api.resume(name);
    },
    async remove() {
      await run('remove');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
