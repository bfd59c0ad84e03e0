import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bearerOf, checkPort, type ProxyEvidence, type SyncEvidence } from '@strangler/contracts';
import { createConnection } from 'mysql2/promise';
import { freePort } from './free-port.js';
import { type CommandResult, runCommand } from './run-command.js';
import { type StartedProgram, startProgram } from './started-program.js';
import { until } from './until.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAMS = {
  seed: 'legacy-monolith/dist/seed.js',
  shop: 'legacy-monolith/dist/main.js',
  migrateCatalog: 'extracted-services/catalog/dist/migrate.js',
  catalog: 'extracted-services/catalog/dist/main.js',
  migrateOrders: 'extracted-services/orders/dist/migrate.js',
  orders: 'extracted-services/orders/dist/main.js',
  strangler: 'migrations/bin/strangler.js',
};
const programOf = (name: keyof typeof PROGRAMS) => join(ROOT, PROGRAMS[name]);

export type Rounding = 'once' | 'twice';

/** Everything the story plays on: a database server's databases, the shop, its services, and the toolkit in front of them. */
export type World = {
  readonly urls: {
    readonly proxy: string;
    readonly shop: string;
    readonly catalog: string;
    readonly orders: string;
    readonly proxyAdmin: string;
    readonly syncAdmin: string;
    readonly control: string;
  };
  readonly databases: {
    readonly shop: string;
    readonly catalog: string;
    readonly orders: string;
    readonly ledger: string;
  };
  readonly folder: string;
  /** The CLI as an operator types it, on the sample's plan. */
  strangler(...args: string[]): Promise<CommandResult>;
  proxyEvidence(): Promise<ProxyEvidence>;
  syncEvidence(): Promise<SyncEvidence>;
  startCatalog(rounding: Rounding): Promise<void>;
  stopCatalog(): Promise<void>;
  killCatalog(): Promise<void>;
  startToolkit(): Promise<void>;
  /** Resolves when nothing of the toolkit listens any more. */
  stopToolkit(how: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Ends all programs in the reverse order of their start and drops the databases unless `keep`. */
  close(): Promise<void>;
};

export type WorldOptions = {
  readonly mysqlUrl: string;
  /** Folder for logs, flags, state and reports; emptied first. */
  readonly folder: string;
  /** Rows of the seed, all of it when left out. */
  readonly seedArguments?: readonly string[];
  readonly say: (sentence: string) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
};

const databaseUrl = (server: string, name: string) =>
  Object.assign(new URL(server), { pathname: `/${name}` }).href;

const evidenceOf = async <T>(url: string, token: string): Promise<T> => {
  const response = await fetch(`${url}/evidence`, {
    headers: bearerOf(token),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`"${url}/evidence" answered ${response.status}`);
  return (await response.json()) as T;
};

export async function createWorld({
  mysqlUrl,
  folder,
  seedArguments = [],
  say,
  signal,
}: WorldOptions): Promise<World> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const suffix = randomBytes(3).toString('hex');
  const names = {
    shop: `shop_${suffix}`,
    catalog: `catalog_${suffix}`,
    orders: `orders_${suffix}`,
    ledger: `ledger_${suffix}`,
  };
  const [proxy, proxyAdmin, syncAdmin, control, shop, catalog, orders] = await Promise.all(
    Array.from({ length: 7 }, freePort),
  );
  const at = (port: number | undefined) => `http://127.0.0.1:${port}`;
  const urls = {
    proxy: at(proxy),
    shop: at(shop),
    catalog: at(catalog),
    orders: at(orders),
    proxyAdmin: at(proxyAdmin),
    syncAdmin: at(syncAdmin),
    control: at(control),
  };
  const databases = {
    shop: databaseUrl(mysqlUrl, names.shop),
    catalog: databaseUrl(mysqlUrl, names.catalog),
    orders: databaseUrl(mysqlUrl, names.orders),
    ledger: databaseUrl(mysqlUrl, names.ledger),
  };
  /** What the sample's programs and its plan read. */
  const variables = {
    NODE_ENV: 'production',
    SHOP_DATABASE_URL: databases.shop,
    SHOP_PORT: String(shop),
    SHOP_UPLOAD_DIR: join(folder, 'uploads'),
    SHOP_URL: urls.shop,
    CATALOG_DATABASE_URL: databases.catalog,
    CATALOG_PORT: String(catalog),
    CATALOG_URL: urls.catalog,
    ORDERS_DATABASE_URL: databases.orders,
    ORDERS_PORT: String(orders),
    ORDERS_SHOP_URL: urls.shop,
    ORDERS_URL: urls.orders,
    LEDGER_DATABASE_URL: databases.ledger,
    STRANGLER_SECRET: randomBytes(32).toString('hex'),
    STRANGLER_PROXY_TOKEN: randomBytes(32).toString('hex'),
    STRANGLER_SYNC_TOKEN: randomBytes(32).toString('hex'),
    STRANGLER_CONTROL_TOKEN: randomBytes(32).toString('hex'),
    SHOP_PROXY_LISTEN: `127.0.0.1:${proxy}`,
    SHOP_PROXY_ADMIN: `127.0.0.1:${proxyAdmin}`,
    SHOP_SYNC_ADMIN: `127.0.0.1:${syncAdmin}`,
    SHOP_CONTROL_LISTEN: `127.0.0.1:${control}`,
    SHOP_FLAGS_FILE: join(folder, 'flags.json'),
    SHOP_STATE_FILE: join(folder, 'proxy-state.json'),
  };
  const environment: NodeJS.ProcessEnv = { ...process.env, ...variables };
  // For whoever wants to use the CLI on what runs here; it holds secrets.
  await writeFile(
    join(folder, 'environment'),
    Object.entries(variables)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
    { mode: 0o600 },
  );
  const plan = join(ROOT, 'migrations/plans/shop.yaml');
  const release: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of release.toReversed()) await step();
    release.length = 0;
  };
  const prepare = async (
    program: 'seed' | 'migrateCatalog' | 'migrateOrders',
    args: readonly string[] = [],
  ) => {
    const result = await runCommand(programOf(program), args, environment, signal);
    if (result.code !== 0) throw new Error(`"${PROGRAMS[program]}" ended with ${result.code}: ${result.err}`);
  };

  let service: StartedProgram | undefined;
  const startCatalog = async (rounding: Rounding) => {
    service = await startProgram(
      programOf('catalog'),
      [],
      { ...environment, CATALOG_ROUNDING: rounding },
      join(folder, 'catalog.log'),
    );
  };

  let toolkit: StartedProgram | undefined;
  const startToolkit = async () => {
    toolkit = await startProgram(
      programOf('strangler'),
      ['up', '--plan', plan],
      environment,
      join(folder, 'strangler.log'),
    );
  };
  const isFree = async (url: string) => {
    const problems = await checkPort('', { host: '127.0.0.1', port: Number(new URL(url).port) });
    return problems.length === 0;
  };

  try {
    release.push(async () => {
      const connection = await createConnection(mysqlUrl);
      for (const name of Object.values(names))
        for (const schema of [name, `${name}_strangler`])
          await connection.query(`DROP DATABASE IF EXISTS \`${schema}\``);
      await connection.end();
    });
    say('seeding the shop and creating the databases of the services');
    await prepare('seed', seedArguments);
    await prepare('migrateCatalog');
    await prepare('migrateOrders');
    const monolith = await startProgram(programOf('shop'), [], environment, join(folder, 'shop.log'));
    release.push(() => monolith.stop());
    signal?.throwIfAborted();
    say(`the monolith runs at ${urls.shop}`);
    await startCatalog('once');
    release.push(async () => service?.stop());
    signal?.throwIfAborted();
    say(`the catalog service runs at ${urls.catalog}`);
    const orderService = await startProgram(programOf('orders'), [], environment, join(folder, 'orders.log'));
    release.push(() => orderService.stop());
    signal?.throwIfAborted();
    say(`the orders service runs at ${urls.orders}`);
    await startToolkit();
    release.push(async () => toolkit?.stop());
    signal?.throwIfAborted();
    say(`the proxy runs at ${urls.proxy}, the control plane at ${urls.control}`);
  } catch (error) {
    await close();
    throw error;
  }

  return {
    urls,
    databases,
    folder,
    strangler: (...args) => runCommand(programOf('strangler'), [...args, '--plan', plan], environment),
    proxyEvidence: () => evidenceOf<ProxyEvidence>(urls.proxyAdmin, variables.STRANGLER_PROXY_TOKEN),
    syncEvidence: () => evidenceOf<SyncEvidence>(urls.syncAdmin, variables.STRANGLER_SYNC_TOKEN),
    startCatalog,
    stopCatalog: async () => {
      await service?.stop();
    },
    killCatalog: async () => {
      await service?.kill();
    },
    startToolkit,
    async stopToolkit(how) {
      if (how === 'SIGTERM') await toolkit?.stop();
      else await toolkit?.kill();
      // After a kill -9 its programs end by themselves.
      for (const url of [urls.proxy, urls.proxyAdmin, urls.syncAdmin, urls.control])
        await until(`the end of who listened on ${url}`, 15_000, () => isFree(url));
    },
    close,
  };
}
