import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import { createConnection, type Connection } from 'mysql2/promise';
import { startServer } from '../../scripts/mysql-server.mjs';
import { check } from './check.js';
import { examine } from './doctor.js';
import { checkedPlan } from './testing/checked-plan.js';
import { engineOf, type ScratchDatabase, scratchDatabase, until } from './testing/databases.js';

const MAPPING = `
        - { from: product, to: item, key: { id: id }, columns: { title: name, amount: amount } }`;
const SOURCE = 'CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(20), amount INT)';
const TARGET = 'CREATE TABLE item (id INT PRIMARY KEY, title VARCHAR(20), amount INT)';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
const open: Connection[] = [];

const shown = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);
const statements = (findings: readonly Finding[]) => findings.flatMap((finding) => finding.statements ?? []);
const look = (sync?: string, tables = MAPPING) =>
  examine(checkedPlan(from.url, to.url, tables, sync === undefined ? {} : { sync }));

/** Runs what the doctor has said can be run, on the side where it is to be run. */
async function remedy(findings: readonly Finding[], side: Scratch): Promise<void> {
  for (const statement of statements(findings)) await side.root.query(statement);
}
async function other(side: Scratch): Promise<Connection> {
  const connection = await createConnection({ uri: side.url, multipleStatements: true });
  connection.on('error', () => {});
  open.push(connection);
  return connection;
}

beforeEach(async () => {
  from = await scratchDatabase('legacy');
  to = await scratchDatabase('service');
  await from.root.query(SOURCE);
  await to.root.query(TARGET);
});
afterEach(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  await from.drop();
  await to.drop();
});

describe('the doctor', () => {
  it('finds nothing where nothing is wrong, and changes nothing', async () => {
    expect(await look()).toEqual([]);
    const [schemas] = await from.root.query(`SHOW DATABASES LIKE '${from.schema}\\_strangler'`);
    expect(schemas).toEqual([]);
  });

  it('tells what refuses first, and what refuses is what keeps sync from starting', async () => {
    await to.root.query('ALTER TABLE item MODIFY amount SMALLINT, ADD must INT NOT NULL, DROP title');
    await other(to);
    const plan = checkedPlan(from.url, to.url, MAPPING, { sync: ', expectedOutageMs: 999999999999' });
    await from.root.query('SET GLOBAL binlog_expire_logs_seconds = 7200');
    const findings = await examine(plan);
    await from.root.query('SET GLOBAL binlog_expire_logs_seconds = 0');
    expect(codes(findings)).toEqual(['COLUMN_MISSING', 'COLUMN_UNFILLED', 'LOG_RETENTION_SHORT']);
    expect(findings.map(({ severity }) => severity)).toEqual(['refuses', 'refuses', 'warns']);
    expect(codes(await check(plan)).toSorted()).toEqual(['COLUMN_MISSING', 'COLUMN_UNFILLED']);
  });
});

describe('of a server it tells, with what remedies it,', () => {
  it('a log that is kept for less than an outage may take', async () => {
    await from.root.query('SET GLOBAL binlog_expire_logs_seconds = 7200');
    const findings = await look();
    expect(shown(findings)).toEqual([
      'warns LOG_RETENTION_SHORT databases.legacy: keeps its log for 2 hours, and an outage of 24 hours is expected (sync.expectedOutageMs): behind it everything would be copied anew',
    ]);
    expect(await look(', expectedOutageMs: 7200000')).toEqual([]);
    await remedy(findings, from);
    expect(await look()).toEqual([]);
    await from.root.query('SET GLOBAL binlog_expire_logs_seconds = 0');
  });

  it('a prepared transaction of two phases', async () => {
    const writer = await other(from);
    await writer.query(
      "XA START 'it''s', 'b', 7; INSERT INTO product (id) VALUES (1); XA END 'it''s', 'b', 7; XA PREPARE 'it''s', 'b', 7",
    );
    const findings = (await look()).filter(({ code }) => code === 'XA_PREPARED');
    expect(shown(findings)).toEqual([
      expect.stringMatching(/^warns XA_PREPARED databases.legacy: has a prepared transaction/),
    ]);
    const [statement = ''] = statements(findings);
    await writer.query(statement);
    expect(await look()).toEqual([]);
  });

  it('a transaction that is open for long, by the connection and user that can be ended', async () => {
    const writer = await other(from);
    await writer.query('START TRANSACTION; INSERT INTO product (id) VALUES (1)');

    const plan = checkedPlan(from.url, to.url, MAPPING);
    let finding: Finding | undefined;
    // A server shows its open transactions as they were up to a tenth of a second ago.
    await until(async () => {
      const findings = await examine(plan, { longTransactionS: 0 });
      finding = findings.find(({ message }) => message.includes(`connection ${writer.threadId} of`));
      // Asked sooner again, it shows the same as before.
      await new Promise((done) => setTimeout(done, 200));
      return finding !== undefined;
    }, 'the open transaction');
    expect(finding).toMatchObject({ severity: 'warns', code: 'TRANSACTION_LONG' });
    expect(finding?.message).toMatch(/with 1 changed rows, of connection \d+ of "root"$/);
    expect(finding?.statements).toEqual([`KILL ${writer.threadId}`]);
    expect(await look()).toEqual([]);
  });

  it('what it cannot see, with the privilege that shows it', async () => {
    const account = `'d${Math.floor(performance.now())}'@'127.0.0.1'`;
    const as = (side: Scratch) => {
      const url = new URL(side.url);
      url.username = account.slice(1, account.indexOf("'", 1));
      url.password = 'pw';
      return url.href;
    };
    const schemas = [from.schema, `${from.schema}_strangler`, to.schema, `${to.schema}_strangler`];
    await from.root.query(
      `CREATE USER ${account} IDENTIFIED BY 'pw'; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account}; ${schemas.map((schema) => `GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON ${schema}.* TO ${account}`).join('; ')}`,
    );
    const plan = checkedPlan(as(from), as(to), MAPPING);
    try {
      const findings = await examine(plan);
      expect(new Set(findings.map(({ severity, code }) => `${severity} ${code}`))).toEqual(
        new Set(['tells METADATA_HIDDEN']),
      );
      expect(await check(plan)).toEqual([]);
      expect(statements(findings)).toContain(`GRANT PROCESS ON *.* TO ${account}`);
      await remedy(findings, from);
      expect(await examine(plan)).toEqual([]);
    } finally {
      await from.root.query(`DROP USER ${account}`);
    }
  });

  it.each([
    [['--read-only=1'], 'SERVER_READ_ONLY', 'warns', /is read-only: data do not flow/],
    [
      ['--max-allowed-packet=64M'],
      'PACKET_SMALLER',
      'warns',
      /takes statements of \d+ bytes, and "legacy" of 67108864: a large row may not fit$/,
    ],
  ] as const)('%j', async (args, code, severity, message) => {
    const server = await startServer({ args: [...args, '--innodb-buffer-pool-size=32M'] });
    try {
      const own = await scratchDatabase('legacy', server.url);
      await own.root.query(SOURCE);
      const account = "'plain'@'127.0.0.1'";
      await own.root.query(
        `CREATE USER ${account} IDENTIFIED BY 'pw'; GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account}; GRANT ALL ON ${own.schema}.* TO ${account}; GRANT ALL ON ${own.schema}_strangler.* TO ${account}`,
      );
      const url = new URL(own.url);
      [url.username, url.password] = ['plain', 'pw'];
      await to.root.query('SET GLOBAL max_allowed_packet = 16777216');
      const findings = (await examine(checkedPlan(url.href, to.url, MAPPING))).filter(
        (finding) => finding.code === code,
      );
      expect(findings).toMatchObject([{ severity, message: expect.stringMatching(message) }]);
      expect(statements(findings)).toEqual([expect.stringMatching(/^SET GLOBAL \w+ = (OFF|67108864)$/)]);
      await own.drop();
    } finally {
      await server.stop();
    }
  });
});

describe('of a log that leaves something out it refuses', () => {
  const withServer = async (args: readonly string[], work: (server: Scratch) => Promise<void>) => {
    const server = await startServer({ args: [...args, '--innodb-buffer-pool-size=32M'] });
    const own = await scratchDatabase('legacy', server.url);
    await own.root.query(SOURCE);
    try {
      await work(own);
    } finally {
      await own.drop();
      await server.stop();
    }
  };
  const refusals = async (own: Scratch) =>
    (await check(checkedPlan(own.url, to.url, MAPPING))).map(({ code, message }) => `${code}: ${message}`);

  it('a filter, and a replica that does not log what it gets', async () => {
    await withServer(['--binlog-do-db=other', '--log-slave-updates=0'], async (own) => {
      const filtered = [
        `LOG_FILTERED: does not log what is written into "${own.schema}" (binlog_do_db is "other")`,
        `LOG_FILTERED: does not log what is written into "${own.schema}_strangler" (binlog_do_db is "other")`,
      ];
      expect(await refusals(own)).toEqual(filtered);
      const isMariaDb = (await engineOf(own.root)) === 'mariadb';
      await own.root.query(
        isMariaDb
          ? "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1"
          : "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1",
      );
      expect(await refusals(own)).toEqual([
        ...filtered,
        expect.stringMatching(
          /^LOG_NOT_REPLICATED: is a replica and does not log what it gets by replication/,
        ),
      ]);
    });
  });

  it('an order of its own, where a server has such', async () => {
    await withServer([], async (own) => {
      expect(await refusals(own)).toEqual([]);
      if ((await engineOf(own.root)) === 'mariadb') return;
      await own.root.query('SET GLOBAL binlog_order_commits = OFF');
      const findings = await examine(checkedPlan(own.url, to.url, MAPPING));
      expect(shown(findings)[0]).toMatch(/^refuses LOG_ORDER databases.legacy: /);
      await remedy(findings.slice(0, 1), own);
      expect(await refusals(own)).toEqual([]);
    });
  });

  it('a table that the log calls by another case', async () => {
    if ((await engineOf(from.root)) === 'mysql') return;
    await withServer(['--lower-case-table-names=1'], async (own) => {
      const tables = MAPPING.replace('from: product', 'from: Product');
      const found = await check(checkedPlan(own.url, to.url, tables));
      expect(found.map(({ code, remedy: text }) => `${code}: ${text}`)).toEqual([
        'TABLE_NAME_CASE: write "product"',
      ]);
    });
  });
});
