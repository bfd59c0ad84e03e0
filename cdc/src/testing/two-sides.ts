import { setTimeout as delay } from 'node:timers/promises';
import {
  fakeStateSubscription,
  type MigrationData,
  parsePlan,
  type Phase,
  type Plan,
} from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { controlSchemaOf } from '../connect.js';
import { noStopPoints, type StopPoints } from '../stop-points.js';
import { createSync, type Sync } from '../sync.js';
import { type ScratchDatabase, scratchDatabase, until } from './databases.js';

type Side = ScratchDatabase & { drop(): Promise<void> };

/** Both databases of a migration, with a fence each, and programs of sync that are told its phase. */
export type TwoSides = {
  readonly legacy: Side;
  readonly service: Side;
  /** A program of sync, told the phase that is in force now and those to come. */
  start(stopPoints?: StopPoints): Promise<Running>;
  /** Tells every running one. */
  phase(phase: Phase): Promise<void>;
  fence(side: 'legacy' | 'service', isClosed: boolean): Promise<void>;
  /** The steps of a cutover between the fence that closes and the one that opens. */
  cutOver(sync: Running, to: 'there' | 'back'): Promise<void>;
  epoch(): number;
  drop(): Promise<void>;
};

export type Running = {
  readonly sync: Sync;
  migration(): ReturnType<Sync['evidence']>['migrations'][string];
  post(verb: string, body: object): Promise<{ readonly status: number; readonly body: unknown }>;
  tailing(stream: 'there' | 'back'): Promise<void>;
  /** As a process that is gone: nothing that it does from here on reaches a database. */
  stop(): Promise<void>;
};

const PLAN = `version: 1
proxy: { listen: 0, secret: !env SECRET }
sync: { admin: 0 }
control: { listen: "127.0.0.1:1", ledger: !env LEGACY }
flags: { file: flags.json }
databases: { legacy: !env LEGACY, service: !env SERVICE }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  catalog:
    owner: team
    upstream: service
    routes: ["GET /x"]
    data:
      from: legacy
      to: service
      tables: [{ from: a, to: b, key: { id: id }, columns: { c: c } }]
`;

/** The triggers and the row of docs/cutover.md: closed, only appliers may write; open, only others. */
const fenceOf = (side: ScratchDatabase, tables: readonly string[], isClosed: boolean): string => {
  const fence = `${controlSchemaOf(side)}.fence`;
  const trigger = (table: string, event: string) =>
    `CREATE TRIGGER fence_${table}_${event} BEFORE ${event} ON ${table} FOR EACH ROW BEGIN
       DECLARE is_closed TINYINT; DECLARE was BIGINT; DECLARE why VARCHAR(128);
       SELECT closed, epoch INTO is_closed, was FROM ${fence} WHERE tbl = '${table}' LOCK IN SHARE MODE;
       IF is_closed <> COALESCE(@strangler_apply, 0) THEN
         SET why = CONCAT('FENCED:${table}:', was);
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = why;
       END IF;
     END`;
  return [
    `CREATE DATABASE IF NOT EXISTS ${controlSchemaOf(side)}`,
    `CREATE TABLE ${fence} (tbl VARCHAR(64) PRIMARY KEY, closed TINYINT NOT NULL, epoch BIGINT UNSIGNED NOT NULL)`,
    ...tables.flatMap((table) => [
      `INSERT INTO ${fence} VALUES ('${table}', ${isClosed ? 1 : 0}, 0)`,
      ...['INSERT', 'UPDATE', 'DELETE'].map((event) => trigger(table, event)),
    ]),
  ].join(';');
};

const tablesOf = async (side: ScratchDatabase): Promise<string[]> => {
  const [rows] = await side.root.query<RowDataPacket[]>('SHOW TABLES');
  return rows.map((row) => String(Object.values(row)[0]));
};

export async function openTwoSides(
  data: MigrationData,
  legacySql: string,
  serviceSql: string,
): Promise<TwoSides> {
  const [legacy, service] = [await scratchDatabase('legacy'), await scratchDatabase('service')];
  await legacy.root.query(legacySql);
  await service.root.query(serviceSql);
  await legacy.root.query(fenceOf(legacy, await tablesOf(legacy), false));
  await service.root.query(fenceOf(service, await tablesOf(service), true));
  const loaded = parsePlan(PLAN, 'plan.yaml', {
    SECRET: '0123456789abcdef',
    LEGACY: legacy.url,
    SERVICE: service.url,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const migration = loaded.plan.migrations['catalog'];
  if (!migration) throw new Error('there is no migration');
  const plan: Plan = { ...loaded.plan, migrations: { catalog: { ...migration, data } } };
  let version = 1;
  let epoch = 0;
  let phase: Phase = 'syncing';
  const stateNow = () => ({
    version,
    migrations: { catalog: { phase, since: '2026-01-01T00:00:00Z', epoch } },
  });
  const running = new Map<Running, (isTold?: boolean) => Promise<void>>();

  async function start(stopPoints: StopPoints = noStopPoints): Promise<Running> {
    const subscription = fakeStateSubscription(stateNow());
    const log = pino({ level: 'silent' });
    const sync = await createSync({ plan, log, instance: `sync-${running.size}`, subscription, stopPoints });
    const migrationNow = () => {
      const found = sync.evidence().migrations['catalog'];
      if (!found) throw new Error('there is no migration in the evidence');
      return found;
    };
    const program: Running = {
      sync,
      migration: migrationNow,
      async post(verb, body) {
        const response = await fetch(`${sync.urls['admin'] ?? ''}/migrations/catalog/${verb}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: await response.json() };
      },
      tailing: (stream) =>
        until(
          () => {
            const { state, problem, stream: current } = migrationNow();
            if (state === 'stopped') throw new Error(`stopped: ${problem}`);
            return state === 'tailing' && current === stream;
          },
          `stream ${stream} is tailing`,
          60_000,
        ),
      async stop() {
        running.delete(program);
        await sync.stop();
      },
    };
    running.set(program, () => subscription.set(stateNow()));
    return program;
  }

  const sides: TwoSides = {
    legacy,
    service,
    start,
    epoch: () => epoch,
    async phase(next) {
      phase = next;
      version++;
      await Promise.all([...running.values()].map((tell) => tell()));
    },
    async fence(side, isClosed) {
      const database = side === 'legacy' ? legacy : service;
      await database.root.query(
        `UPDATE ${controlSchemaOf(database)}.fence SET closed = ${isClosed ? 1 : 0}, epoch = ${epoch}`,
      );
    },
    async cutOver(sync, to) {
      epoch++;
      const [stream, from] = to === 'back' ? (['there', 'legacy'] as const) : (['back', 'service'] as const);
      await sides.fence(from, true);
      for (const [verb, body] of [
        ['reach', { stream, deadlineMs: 20_000 }],
        ['tail', { stream, rows: 1_000, deadlineMs: 20_000 }],
        ['handover', { to, epoch }],
      ] as const) {
        const answer = await sync.post(verb, body);
        if (answer.status !== 200) throw new Error(`${verb}: ${JSON.stringify(answer.body)}`);
        if (verb === 'tail') assertEqual(answer.body as TailBody);
      }
      await sides.phase(to === 'back' ? 'extracted' : 'canary');
      await sides.fence(to === 'back' ? 'service' : 'legacy', false);
    },
    async drop() {
      await Promise.all([...running.keys()].map((program) => program.stop()));
      // A statement of a program that was stopped may still hold a table.
      await delay(0);
      await legacy.drop();
      await service.drop();
    },
  };
  return sides;
}

type TailBody = {
  readonly tables: readonly { readonly different: number; readonly samples: readonly string[] }[];
};
function assertEqual({ tables }: TailBody): void {
  const samples = tables.filter(({ different }) => different > 0).flatMap((table) => table.samples);
  if (samples.length > 0) throw new Error(`the tail differs: ${samples.join('; ')}`);
}

/** Rows of a side as texts. */
export const rowsOf = async (side: ScratchDatabase, sql: string): Promise<string[]> =>
  (await side.root.query<RowDataPacket[]>(sql))[0].map((row) => Object.values(row).join(' '));
