// Long: the whole schema of the plan in one file, so that it reads as the plan does.

import { z } from 'zod';
import { address, httpUrl } from './address-schema.js';
import { admissionKeys, routeAdmissionKeys } from './admission-schema.js';
import { authSchema, routeAuthSchema, routeSessionSchema } from './auth-schema.js';
import { type Conditions, conditionsSchema, conditionsText } from './conditions.js';
import { cutoverSchema, holdSchema } from './cutover-schema.js';
import { entranceKeys } from './entrance-schema.js';
import { flagsSchema } from './flags-schema.js';
import { grpcSchema } from './grpc-schema.js';
import { groupSchema } from './groups.js';
import { identitySchema, testersSchema } from './identity-schema.js';
import { tableMappingSchema } from './mapping-schema.js';
import { ownWritesSchema } from './own-writes-schema.js';
import { pathRulesSchema } from './path-rules.js';
import type { RoutePattern } from './route-pattern.js';
import { routePatternSchema } from './route-pattern-schema.js';
import { adminToken, databaseUrl, secretText } from './secret-schema.js';
import { sessionBridgeSchema } from './session-schema.js';
import { strayWritesSchema } from './stray-writes-schema.js';
import { syncSchema } from './sync-schema.js';
import { transformSchema } from './transform-schema.js';
import { workflowSchema } from './workflow-schema.js';
import { upstreamSchema } from './upstream-schema.js';

const name = z.string().refine((text) => /^[a-z][a-z0-9-]{0,62}$/.test(text), {
  message: 'is not a name',
  params: { remedy: 'use lower-case letters, digits and "-", starting with a letter' },
});

const jsonPointer = z.string().refine((text) => /^(\/[^/]*)+$/.test(text), {
  message: 'is not a JSON pointer',
  params: { remedy: 'write it like "/items/*/price", where "*" stands for any one name or index' },
});

const compareRules = z
  .strictObject({
    ignore: z.array(jsonPointer).default([]).describe('places in the body that are not compared'),
    unordered: z.array(jsonPointer).default([]).describe('arrays whose order does not matter'),
    redact: z.array(jsonPointer).default([]).describe('places whose values never show in a sample'),
    headers: z
      .array(z.string().toLowerCase())
      .default(['content-type'])
      .describe('response headers that are compared, besides the status'),
  })
  .prefault({});
export type CompareRules = z.infer<typeof compareRules>;

const pattern = routePatternSchema('correct the pattern');

/** What a route is called: evidence and metrics tell routes apart by it, so its conditions belong to it. */
const withConditions = (match: RoutePattern, when: Conditions): RoutePattern =>
  when.length === 0 ? match : { ...match, text: `${match.text} when ${conditionsText(when)}` };

/** Who may come to the service, as legacy would have asked itself. A route's own word replaces the migration's. */
const guards = {
  auth: routeAuthSchema.optional().describe('the verified bearer token it needs; false: none'),
  session: routeSessionSchema.optional().describe('whether it needs a session of legacy; false: no bridge'),
};

const routeObject = z.strictObject({
  match: pattern.describe(
    '"METHOD /path", with ":name" for one segment and a last "*" for the rest; GET covers HEAD',
  ),
  when: conditionsSchema
    .optional()
    .describe('what a request must have besides method and path; all of it must hold'),
  order: z
    .number()
    .int()
    .default(0)
    .describe('the lowest one goes first, before the most specific; for routes that take the same requests'),
  shadow: z.boolean().default(true).describe('false: the service is never asked beside legacy'),
  compare: compareRules.optional().describe('in place of the rules of the migration'),
  ...guards,
  transform: transformSchema.optional().describe('what the service gets and gives otherwise than the client'),
  grpc: grpcSchema.optional().describe('the service is asked by gRPC'),
  ...routeAdmissionKeys,
});
export const routeSchema = z.union([
  pattern.transform((match) => ({
    match,
    when: [] as Conditions,
    order: 0,
    shadow: true,
    compare: undefined,
    auth: undefined,
    session: undefined,
    transform: undefined,
    grpc: undefined,
    limits: undefined,
    rateLimit: undefined,
  })),
  routeObject.transform(({ when = [], match, ...rest }) => ({
    ...rest,
    match: withConditions(match, when),
    when,
  })),
]);

const gates = z
  .strictObject({
    maxLagMs: z.number().int().min(1).default(2_000),
    maxVerificationAgeMs: z
      .number()
      .int()
      .min(1)
      .default(3_600_000)
      .describe('how old the last clean verification may be'),
    minComparisons: z
      .number()
      .int()
      .min(1)
      .default(300)
      .describe('comparisons of the whole migration since its last mismatch'),
    minComparisonsPerRoute: z.number().int().min(0).default(10),
    maxServiceFailures: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('share of the answers of the service that may fail'),
  })
  .prefault({});
export type GateLimits = z.infer<typeof gates>;

const migration = z.strictObject({
  owner: z.string().min(1),
  title: z.string().optional(),
  upstream: name.describe('the upstream of the extracted service'),
  flag: z
    .string()
    .min(1)
    .optional()
    .describe('name of the Unleash flag; "strangler." and the name of the migration when left out'),
  routes: z.array(routeSchema).min(1),
  ...guards,
  compare: compareRules,
  canary: z
    .strictObject({
      steps: z.array(z.number().int().min(1).max(100)).min(1).default([10, 50, 100]),
      oneWay: z
        .boolean()
        .default(true)
        .describe('a client once served by the service stays there when the share shrinks, until a rollback'),
    })
    .prefault({}),
  gates,
  cutover: cutoverSchema.describe('how writes change sides'),
  data: z
    .strictObject({
      from: z.string().describe('name of the database the monolith writes'),
      to: z.string().describe('name of the database of the service'),
      chunkRows: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(1_000)
        .describe('rows a backfill reads at a time'),
      truncate: z
        .enum(['stop', 'delete'])
        .optional()
        .describe('what a TRUNCATE of a source table does: stop the flow, or delete all rows of its target'),
      strayWrites: strayWritesSchema,
      addedColumns: z
        .enum(['flow', 'stop'])
        .optional()
        .describe(
          'what a column does that is added to a source table and that the mapping neither reads nor leaves out: it is told and left out, or the flow stops before it',
        ),
      tables: z.array(tableMappingSchema).min(1),
    })
    .optional(),
});

/** The plan as it stands in the file. Everything not named here is refused. */
export const planSchema = z.strictObject({
  version: z.literal(1),
  proxy: z.strictObject({
    listen: address,
    admin: address.prefault('127.0.0.1:7070'),
    adminToken: adminToken.optional(),
    secret: secretText.optional().describe('signs the cookie of anonymous clients; enters by !env'),
    identity: identitySchema,
    auth: authSchema,
    sessionBridge: sessionBridgeSchema.optional(),
    testers: testersSchema
      .optional()
      .describe(
        'where a tester shows the token that "strangler tester" made; without it there are no testers',
      ),
    shadow: z
      .strictObject({
        concurrency: z.number().int().min(1).default(8),
        queue: z
          .number()
          .int()
          .min(0)
          .default(64)
          .describe('shadow requests that may wait; one more is dropped and counted'),
        deadlineMs: z.number().int().min(1).default(5_000),
        maxBodyBytes: z
          .number()
          .int()
          .min(1)
          .default(1_048_576)
          .describe('larger answers are not compared, and counted'),
        samples: z.number().int().min(0).max(50).default(5).describe('mismatches kept for each route'),
      })
      .prefault({}),
    replicas: z
      .array(httpUrl)
      .min(1)
      .optional()
      .describe('admin ports of all proxies, where they do not tell theirs; each of them must answer'),
    workers: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('processes behind one port, one for each core; the n-th has the n-th admin port'),
    hold: holdSchema.describe('writes that are held while they change sides'),
    readYourWrites: ownWritesSchema.describe('reads of clients that have written'),
    paths: pathRulesSchema.describe('how paths are read'),
    ...entranceKeys,
    expectContinue: z
      .enum(['upstream', 'proxy'])
      .default('upstream')
      .describe('who tells a client that says "Expect: 100-continue" to send its body'),
    ...admissionKeys,
    stateFile: z
      .string()
      .optional()
      .describe('where the last routing state is kept for a start without the control plane'),
  }),
  sync: syncSchema,
  control: z
    .strictObject({
      listen: address.prefault('127.0.0.1:7072'),
      adminToken: adminToken.optional(),
      ledger: databaseUrl,
    })
    .optional(),
  flags: flagsSchema.optional(),
  databases: z.record(name, databaseUrl).default({}),
  upstreams: z.record(name, upstreamSchema),
  migrations: z.record(name, migration).default({}),
  groups: z
    .record(name, groupSchema(name))
    .default({})
    .describe('migrations that advance and roll back together, by one flag'),
  workflows: z
    .record(name, workflowSchema(pattern))
    .default({})
    .describe('routes that a client goes through together, all on one side'),
});

export type PlanDocument = z.infer<typeof planSchema>;
export type Migration = PlanDocument['migrations'][string];
export type MigrationData = NonNullable<Migration['data']>;
export type PlanWorkflow = PlanDocument['workflows'][string];
export type PlanRoute = Migration['routes'][number];
export type ShadowLimits = PlanDocument['proxy']['shadow'];

/** The name of a migration's flag when the plan gives none. */
export const flagOf = (migrationName: string): string => `strangler.${migrationName}`;
