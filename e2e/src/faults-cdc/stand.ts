import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { SOURCE_TABLES, targetTables } from './tables.js';

/** A private database server that can be hurt: `restart` ends it by a signal and starts it on the same data and port. */
export type HurtServer = {
  readonly url: string;
  readonly pid: () => number;
  readonly restart: (signal: NodeJS.Signals) => Promise<void>;
};
/** Broker and worker that can be hurt: `restart` kills one and starts it again on what it has written. */
export type KafkaPlace = {
  readonly brokers: readonly string[];
  readonly connect: string;
  readonly restart: (which: 'broker' | 'worker') => Promise<void>;
};
export type Servers = {
  readonly source: HurtServer;
  readonly target: HurtServer;
  /** Through which the changes come; by the log of the source when left out. */
  readonly kafka?: KafkaPlace;
};

const QUIET_MS = 20_000;
/** Broker, worker and task may all have to come again, one after the other. */
const QUIET_THROUGH_KAFKA_MS = 120_000;

export const SYNC_ACCOUNT = 'sync_under_fault';
const PASSWORD = 'sync-under-fault';

/** The databases of one run. */
export type Stand = {
  readonly sourceSchema: string;
  readonly targetSchema: string;
  readonly control: string;
  /** As sync reaches them: with an account of its own, by which its connections are found. */
  readonly syncSource: string;
  readonly syncTarget: string;
  readonly sourceUrl: string;
  readonly targetUrl: string;
  /** How long what was written last may take. */
  readonly quietMs: number;
};

export async function openStand(servers: Servers, name: string, accounts: number): Promise<Stand> {
  const [sourceSchema, targetSchema] = [`f_${name}`, `g_${name}`];
  const control = `${targetSchema}_strangler`;
  const within = (url: string, schema: string, account?: string) => {
    const own = new URL(url);
    own.pathname = `/${schema}`;
    if (account !== undefined) [own.username, own.password] = [account, PASSWORD];
    return own.href;
  };
  await withConnection(servers.source.url, async (connection) => {
    const ids = Array.from({ length: accounts }, (_, index) => index + 1);
    await connection.query(`${grant()} CREATE DATABASE ${sourceSchema} CHARACTER SET utf8mb4; USE ${sourceSchema}; ${SOURCE_TABLES}
      INSERT INTO account (id, code, name, state, tags, price, opened, is_open, amount, version) VALUES ${ids.map((id) => `(${id}, 'first-${id}', 'Lämp ${id}', 'A', 'a${id}, b,,c', ${id}.25, '2024-02-01 00:10:00', 1, ${id}, 1)`).join(', ')};
      INSERT INTO vault (region, slot, amount, version) VALUES ('north', 0, ${-ids.reduce((sum, id) => sum + id, 0)}, 1);
      INSERT INTO entry (account_id, writer, serial, pad) SELECT seq, 0, 0, 'first' FROM seq_1_to_${2 * accounts}`);
  });
  await withConnection(servers.target.url, (connection) =>
    connection.query(
      `${grant()} CREATE DATABASE ${targetSchema} CHARACTER SET utf8mb4; USE ${targetSchema}; ${targetTables(control)}`,
    ),
  );
  return {
    sourceSchema,
    targetSchema,
    control,
    syncSource: within(servers.source.url, sourceSchema, SYNC_ACCOUNT),
    syncTarget: within(servers.target.url, targetSchema, SYNC_ACCOUNT),
    sourceUrl: within(servers.source.url, sourceSchema),
    targetUrl: within(servers.target.url, targetSchema),
    quietMs: servers.kafka ? QUIET_THROUGH_KAFKA_MS : QUIET_MS,
  };
}

export async function dropStand({ sourceSchema, targetSchema, sourceUrl, targetUrl }: Stand): Promise<void> {
  for (const [url, schema] of [
    [sourceUrl, sourceSchema],
    [targetUrl, targetSchema],
  ] as const)
    await withConnection(url, (connection) =>
      connection.query(`DROP DATABASE IF EXISTS ${schema}; DROP DATABASE IF EXISTS ${schema}_strangler`),
    );
}

const grant = () =>
  `CREATE USER IF NOT EXISTS '${SYNC_ACCOUNT}'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'; GRANT ALL ON *.* TO '${SYNC_ACCOUNT}'@'127.0.0.1';`;

/** A connection in UTC that may be lost at any moment. */
export async function open(uri: string): Promise<Connection> {
  const connection = await createConnection({
    uri,
    multipleStatements: true,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: 5_000,
  });
  // What breaks while nobody waits for it is told by the next statement.
  connection.on('error', () => {});
  await connection.query("SET time_zone = '+00:00'");
  return connection;
}

export async function withConnection<Result>(
  url: string,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await open(url);
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

export async function rowsOf(connection: Connection, sql: string): Promise<readonly RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows;
}
