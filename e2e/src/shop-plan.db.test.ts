import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { check } from '@strangler/cdc';
import {
  loadPlan,
  type ColumnRule,
  type MigrationData,
  type Plan,
  type PlanRoute,
  readsOf,
} from '@strangler/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { runCommand } from './run-command.js';
import { startProgram } from './started-program.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';
const suffix = randomBytes(4).toString('hex');
const names = { legacy: `shop_${suffix}`, catalog: `catalog_${suffix}`, orders: `orders_${suffix}` };
const urlOf = (database: string): string => new URL(`/${database}`, SERVER).href;

const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  SHOP_PROXY_LISTEN: '127.0.0.1:0',
  SHOP_PROXY_ADMIN: '127.0.0.1:0',
  SHOP_SYNC_ADMIN: '127.0.0.1:0',
  SHOP_CONTROL_LISTEN: '127.0.0.1:0',
  SHOP_STATE_FILE: 'state.json',
  SHOP_FLAGS_FILE: 'flags.json',
  SHOP_URL: 'http://127.0.0.1:3000',
  SHOP_DATABASE_URL: urlOf(names.legacy),
  CATALOG_URL: 'http://127.0.0.1:3100',
  CATALOG_DATABASE_URL: urlOf(names.catalog),
  CATALOG_PORT: '0',
  ORDERS_URL: 'http://127.0.0.1:3200',
  ORDERS_SHOP_URL: 'http://127.0.0.1:3000',
  ORDERS_DATABASE_URL: urlOf(names.orders),
  ORDERS_PORT: '0',
  LEDGER_DATABASE_URL: urlOf('ledger'),
  STRANGLER_PROXY_TOKEN: 'a-token-of-the-proxy',
  STRANGLER_SYNC_TOKEN: 'a-token-of-the-sync',
  STRANGLER_CONTROL_TOKEN: 'a-token-of-the-control-plane',
  STRANGLER_SECRET: 'a secret of the test, long enough',
};

type Column = { readonly name: string; readonly nullable: boolean; readonly isPrimary: boolean };

type Service = 'catalog' | 'orders';
/** Tables of the services that no row of the shop comes to. */
const OWN_TABLES = ['schema_migration', 'cart_claim'];

/** A write that stays behind, and pages, which are no API. */
const NOT_DESCRIBED = {
  catalog: ['POST /api/products/:id/reviews'],
  orders: ['POST /checkout', 'GET /orders', 'GET /orders/:no'],
};

let connection: Connection;
let plan: Plan;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-plan-'));
  const loaded = await loadPlan(join(ROOT, 'migrations/plans/shop.yaml'), ENVIRONMENT);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 2));
  ({ plan } = loaded);
  for (const script of [
    'legacy-monolith/dist/seed.js',
    'extracted-services/catalog/dist/migrate.js',
    'extracted-services/orders/dist/migrate.js',
  ]) {
    const { code, err } = await runCommand(join(ROOT, script), [], ENVIRONMENT);
    if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${err}`);
  }
  connection = await createConnection(SERVER);
});

afterAll(async () => {
  for (const database of Object.values(names)) await connection?.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection?.end();
  await rm(folder, { recursive: true, force: true });
});

function migrationOf(name: Service): { data: MigrationData; routes: readonly PlanRoute[] } {
  const migration = plan.migrations[name];
  if (!migration?.data) throw new Error(`the plan has no migration "${name}" with data`);
  return { data: migration.data, routes: migration.routes };
}

async function columnsOf(database: string, table: string): Promise<Column[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT COLUMN_NAME AS name, IS_NULLABLE = 'YES' AS nullable, COLUMN_KEY = 'PRI' AS isPrimary
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`,
    [database, table],
  );
  return rows.map((row) => ({
    name: String(row['name']),
    nullable: row['nullable'] === 1,
    isPrimary: row['isPrimary'] === 1,
  }));
}

/** The source column of a rule; none for a constant. */
const sourceOf = (rule: ColumnRule): string | undefined => readsOf(rule)[0];
const kindOf = (rule: ColumnRule): string =>
  typeof rule === 'string' ? 'copy' : (Object.keys(rule)[0] ?? '');
const sorted = (texts: Iterable<string>): string[] => [...texts].toSorted((a, b) => a.localeCompare(b, 'en'));
const namesOf = (columns: readonly Column[]): string[] => sorted(columns.map(({ name }) => name));

describe.each(['catalog', 'orders'] as const)('the plan of the shop, for %s,', (service) => {
  it('fills every column of every table of the service', async () => {
    const filled = new Map<string, string[]>();
    for (const table of migrationOf(service).data.tables) {
      filled.set(table.to, [...Object.keys(table.key), ...Object.keys(table.columns)]);
      for (const split of table.split)
        filled.set(split.to, [
          ...Object.keys(split.key),
          split.item,
          ...(split.position === undefined ? [] : [split.position]),
        ]);
    }
    const [tables] = await connection.query<RowDataPacket[]>(
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME NOT IN (?)`,
      [names[service], OWN_TABLES],
    );
    expect(sorted(filled.keys())).toEqual(sorted(tables.map((row) => String(row['name']))));
    for (const [table, columns] of filled)
      expect({ table, columns: sorted(columns) }).toEqual({
        table,
        columns: namesOf(await columnsOf(names[service], table)),
      });
  });

  it('leaves no column of the tables it takes out of the shop behind', async () => {
    for (const table of migrationOf(service).data.tables) {
      const read = [
        ...Object.values(table.key),
        ...Object.values(table.columns).map(sourceOf),
        ...table.split.map((split) => split.column),
      ].filter((source) => source !== undefined);
      expect({ table: table.from, columns: sorted(read) }).toEqual({
        table: table.from,
        columns: namesOf(await columnsOf(names.legacy, table.from)),
      });
    }
  });

  it('names every row by its primary key, on both sides', async () => {
    const primary = (columns: readonly Column[]) => namesOf(columns.filter(({ isPrimary }) => isPrimary));
    for (const table of migrationOf(service).data.tables) {
      expect(sorted(Object.values(table.key))).toEqual(primary(await columnsOf(names.legacy, table.from)));
      expect(sorted(Object.keys(table.key))).toEqual(primary(await columnsOf(names[service], table.to)));
    }
  });

  it('writes no NULL where the service allows none', async () => {
    for (const table of migrationOf(service).data.tables) {
      const source = await columnsOf(names.legacy, table.from);
      const mustHold = (await columnsOf(names[service], table.to)).filter(({ nullable }) => !nullable);
      for (const { name } of mustHold) {
        const rule = table.columns[name];
        if (rule === undefined || ['flag', 'constant'].includes(kindOf(rule))) continue;
        expect(source.find((column) => column.name === sourceOf(rule))).toMatchObject({ nullable: false });
      }
    }
  });

  it('gives every value of the shop’s enumerations a name in the service', async () => {
    const renamed = migrationOf(service).data.tables.flatMap(({ from, columns }) =>
      Object.values(columns).flatMap((rule) =>
        typeof rule === 'object' && 'enum' in rule
          ? [{ table: from, column: rule.enum, values: Object.keys(rule.values) }]
          : [],
      ),
    );
    expect(renamed.length).toBeGreaterThan(0);
    for (const { table, column, values } of renamed) {
      const [[row]] = await connection.query<RowDataPacket[]>(
        `SELECT COLUMN_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?`,
        [names.legacy, table, column],
      );
      const allowed = [...String(row?.['type']).matchAll(/'([^']+)'/g)].map(([, value]) => value);
      expect({ table, values }).toEqual({ table, values: allowed });
    }
  });

  it('moves exactly the routes that the service describes, and those it does not describe', async () => {
    const program = await startProgram(
      join(ROOT, `extracted-services/${service}/dist/main.js`),
      [],
      ENVIRONMENT,
      join(folder, 'log'),
    );
    try {
      const response = await fetch(`${String(program.ready['url'])}/api/openapi.json`);
      const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
      const described = Object.entries(paths)
        .filter(([path]) => path.startsWith('/api/'))
        .flatMap(([path, methods]) =>
          Object.keys(methods).map(
            (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
          ),
        );
      expect(sorted(migrationOf(service).routes.map(({ match }) => match.text))).toEqual(
        sorted([...described, ...NOT_DESCRIBED[service]]),
      );
    } finally {
      await program.stop();
    }
  });
});

describe('the plan of the shop', () => {
  it('carries every row there and back but for what it declares lost', async () => {
    expect(await check(plan, { rows: 500, isAsked: true })).toEqual([]);
  });

  it('uses six kinds of column rules and a list', () => {
    const tables = Object.values(plan.migrations).flatMap(({ data }) => data?.tables ?? []);
    const kinds = tables.flatMap((table) => Object.values(table.columns).map(kindOf));
    expect(sorted(new Set(kinds))).toEqual(['constant', 'copy', 'enum', 'flag', 'minor', 'utc']);
    expect(tables.flatMap((table) => table.split)).toHaveLength(1);
  });
});
