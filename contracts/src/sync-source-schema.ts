import { z } from 'zod';
import { httpUrl } from './address-schema.js';

const binlog = z.strictObject({ kind: z.literal('binlog') });

const brokers = z
  .array(
    z.string().refine((text) => /^[^\s:/]+:\d{1,5}$/.test(text), {
      message: 'is not a broker',
      params: { remedy: 'write it as "host:9092"' },
    }),
  )
  .min(1);

const kafka = z.strictObject({
  kind: z.literal('kafka'),
  brokers: brokers.describe('Kafka brokers to start from'),
  connectBrokers: brokers
    .optional()
    .describe('the brokers as the Connect workers reach them, where that is otherwise'),
  connect: httpUrl.describe('REST address of Kafka Connect'),
  topicPrefix: z
    .string()
    .refine((text) => /^[a-z][a-z0-9-]{0,62}$/.test(text), {
      message: 'is not a prefix',
      params: { remedy: 'use lower-case letters, digits and "-", starting with a letter' },
    })
    .default('strangler')
    .describe('connector and topic of a migration are called by it and by the name of the migration'),
  replication: z.number().int().min(1).max(9).default(1).describe('copies of each topic'),
  retentionHours: z
    .number()
    .int()
    .min(1)
    .default(168)
    .describe('how long a topic keeps changes; as long as the source keeps its log, or longer'),
  serverIds: z
    .number()
    .int()
    .min(1)
    .max(4_000_000_000)
    .default(1_700_000_000)
    .describe(
      'server ids of the connectors are made from here on; no replica of the source may have one of them',
    ),
  databaseHost: z
    .string()
    .optional()
    .describe('"host:port" by which the workers reach the source, where it is another than ours'),
  databasePassword: z
    .string()
    .optional()
    .describe(
      'what the connector is given in place of the password, such as "${file:/run/secrets/db:password}"',
    ),
});

/** Where the changes of a database come from. */
export const syncSourceSchema = z.discriminatedUnion('kind', [binlog, kafka]);
export type SyncSource = z.infer<typeof syncSourceSchema>;
export type KafkaSettings = Extract<SyncSource, { kind: 'kafka' }>;

export const syncSourceKeys = {
  source: syncSourceSchema
    .default({ kind: 'binlog' })
    .describe('where changes come from: the log of the database, or Debezium through Kafka'),
  sources: z
    .record(z.string(), syncSourceSchema)
    .default({})
    .describe('other sources than "source", by the name of the database'),
};

/** The source of a database as the plan says it. */
export const syncSourceOf = (
  sync: { readonly source: SyncSource; readonly sources: Readonly<Record<string, SyncSource>> },
  database: string,
): SyncSource => sync.sources[database] ?? sync.source;
