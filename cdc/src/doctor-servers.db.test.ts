import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finding, Plan } from '@strangler/contracts';
import { startServer } from '../../scripts/mysql-server.mjs';
import { check } from './check.js';
import { connectorNames, connectorServerId } from './connector-config.js';
import { examine } from './doctor.js';
import { kafkaSettingsOf } from './planned-source.js';
import { migrationsOf } from './sides.js';
import { checkedPlan } from './testing/checked-plan.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';

const MAPPING = `
        - { from: product, to: item, key: { id: id }, columns: { title: name } }`;
const SOURCE = 'CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(20))';
const TARGET = 'CREATE TABLE item (id INT PRIMARY KEY, title VARCHAR(20))';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let second: Awaited<ReturnType<typeof startServer>>;
let from: Scratch;
/** On the same server as `from`, and on another. */
let to: Scratch;
let elsewhere: Scratch;

const shown = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
const statements = (findings: readonly Finding[]) => findings.flatMap((finding) => finding.statements ?? []);

beforeAll(async () => {
  second = await startServer({ args: ['--server-id=2', '--innodb-buffer-pool-size=32M'] });
}, 120_000);
afterAll(() => second.stop());
beforeEach(async () => {
  from = await scratchDatabase('legacy');
  to = await scratchDatabase('service');
  elsewhere = await scratchDatabase('service', second.url);
  await from.root.query(SOURCE);
  for (const { root } of [to, elsewhere]) await root.query(TARGET);
});
afterEach(async () => {
  for (const database of [from, to, elsewhere]) await database.drop();
});

const near = () => checkedPlan(from.url, to.url, MAPPING);
const far = () => checkedPlan(from.url, elsewhere.url, MAPPING);

describe('of clocks the doctor tells', () => {
  const WRONG =
    'the lag that is measured, and every comparison of times that one of them wrote with times of the other, is wrong by as much';

  it('one here that is not that of the servers, with the seconds', async () => {
    const behind = await examine(far(), { clock: () => Date.now() - 90_000 });
    expect(shown(behind)).toEqual(
      ['legacy', 'service'].map((name) =>
        expect.stringMatching(
          new RegExp(
            `^warns CLOCK_DIFFERS databases.${name}: has a clock that is (89.\\d|90.\\d) seconds ahead of that of this machine: ${WRONG}$`,
          ),
        ),
      ),
    );
    const ahead = await examine(near(), { clock: () => Date.now() + 5_000 });
    expect(shown(ahead)).toEqual([
      expect.stringMatching(
        /^warns CLOCK_DIFFERS databases.legacy: has a clock that is [45].\d seconds behind /,
      ),
    ]);
    for (const statement of statements(ahead)) await from.root.query(statement);
    expect(await examine(far(), { clock: () => Date.now() - 300, clockS: 5 })).toEqual([]);
    expect(await check(far())).toEqual([]);
  });

  it('two servers that are further from each other than either from here', async () => {
    // Whoever logs in with this account finds the clock of its session stopped in two hours.
    const account = "'late'@'127.0.0.1'";
    await elsewhere.root.query(
      `CREATE USER ${account} IDENTIFIED BY 'pw'; GRANT PROCESS ON *.* TO ${account}; GRANT ALL ON ${elsewhere.schema}.* TO ${account}; GRANT ALL ON ${elsewhere.schema}_strangler.* TO ${account}; SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() + 7200'`,
    );
    try {
      const url = new URL(elsewhere.url);
      [url.username, url.password] = ['late', 'pw'];
      const findings = await examine(checkedPlan(from.url, url.href, MAPPING), {
        clock: () => Date.now() + 3_600_000,
        clockS: 5_400,
      });
      expect(shown(findings)).toEqual([
        expect.stringMatching(
          /^warns CLOCK_DIFFERS databases.service: has a clock that is (7200|7199|7198|7197)\.\d seconds ahead of that of "legacy": /,
        ),
      ]);
    } finally {
      await elsewhere.root.query(`SET GLOBAL init_connect = ''; DROP USER ${account}`);
    }
  });
});

describe('of numbers of servers the doctor tells', () => {
  it('two with one, and gives another that is free', async () => {
    await elsewhere.root.query('SET GLOBAL server_id = 1');
    const findings = await examine(far());
    expect(shown(findings)).toEqual([
      'warns SERVER_ID_SHARED databases.service: has the server id 1, as "legacy" has: neither can be made a replica of the other, and a log that holds transactions of both does not tell whose they are',
    ]);
    expect(statements(findings)).toEqual(['SET GLOBAL server_id = 2']);
    for (const statement of statements(findings)) await elsewhere.root.query(statement);
    expect(await examine(far())).toEqual([]);
  });

  it('one that a connector reads under as well', async () => {
    const own = await scratchDatabase('legacy', second.url);
    await own.root.query(SOURCE);
    const withKafka = (serverIds: number): Plan =>
      checkedPlan(own.url, to.url, MAPPING, {
        sync: `, source: { kind: kafka, brokers: ['127.0.0.1:1'], connect: 'http://127.0.0.1:1', serverIds: ${serverIds} }`,
      });
    const plan = withKafka(1);
    const [{ name, data } = { name: '', data: undefined }] = migrationsOf(plan);
    const settings = data && kafkaSettingsOf(plan, data);
    if (!settings) throw new Error('no settings');
    const { connector } = connectorNames(settings, name);
    const id = connectorServerId(settings, connector);
    await own.root.query(`SET GLOBAL server_id = ${id}`);
    const shared = (findings: readonly Finding[]) =>
      shown(findings).filter((line) => line.includes('SERVER_ID_SHARED'));
    expect(shared(await examine(plan))).toEqual([
      `warns SERVER_ID_SHARED sync.source.serverIds: gives connector "${connector}" the server id ${id}, which database "legacy" itself has: of two readers with one number the server ends the older`,
    ]);
    expect(shared(await examine(withKafka(1_700_000_000)))).toEqual([]);
    await own.root.query('SET GLOBAL server_id = 2');
    await own.drop();
  });
});

describe('of waits for locked rows the doctor tells', () => {
  it.each([
    [
      1,
      /wait 1 second for a row.*: one of the application that meets a batch .* fails sooner than these end$/,
    ],
    [3600, /wait 3600 seconds for a row.*: where a fence is being closed .* hang that long$/],
  ])('%s seconds', async (seconds, sentence) => {
    await elsewhere.root.query(`SET GLOBAL innodb_lock_wait_timeout = ${seconds}`);
    const findings = await examine(far());
    expect(findings).toMatchObject([
      {
        severity: 'warns',
        code: 'LOCK_WAIT',
        path: 'databases.service',
        message: expect.stringMatching(sentence),
      },
    ]);
    for (const statement of statements(findings)) await elsewhere.root.query(statement);
    expect(await examine(far())).toEqual([]);
  });
});

describe('what is found of one server', () => {
  it('is told once where both databases are on it', async () => {
    const beside = await scratchDatabase('legacy', second.url);
    await beside.root.query(SOURCE);
    await beside.root.query('SET GLOBAL innodb_lock_wait_timeout = 200');
    const paths = async (plan: Plan) => (await examine(plan)).map(({ code, path }) => `${code} ${path}`);
    expect(await paths(checkedPlan(beside.url, elsewhere.url, MAPPING))).toEqual([
      'LOCK_WAIT databases.legacy',
    ]);
    expect(await paths(far())).toEqual(['LOCK_WAIT databases.service']);
    await beside.root.query('SET GLOBAL innodb_lock_wait_timeout = 50');
    await beside.drop();
  });
});
