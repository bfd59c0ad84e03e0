import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Connection, createConnection } from 'mysql2/promise';
import { checkLedger, privilegesOn } from './check-ledger.js';
import { event } from './event.fixture.js';
import { leasesConformance } from './leases.conformance.js';
import { ledgerConformance } from './ledger.conformance.js';
import { openLedger } from './open-ledger.js';

const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
const suffix = randomBytes(4).toString('hex');
const databases: string[] = [];
const opened: { close(): Promise<void> }[] = [];
let root: Connection;

const freshUrl = (user?: { name: string; password: string }) => {
  const name = `ledger_${suffix}_${databases.length}`;
  databases.push(name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  if (user) [url.username, url.password] = [user.name, user.password];
  return { url: url.href, name };
};
const open = async (url: string) => {
  const ledger = await openLedger(url);
  opened.push(ledger);
  return ledger.ledger;
};

beforeAll(async () => {
  root = await createConnection(server);
});
afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
});
afterAll(async () => {
  for (const name of databases) await root.query(`DROP DATABASE IF EXISTS \`${name}\``);
  await root.query(`DROP USER IF EXISTS 'ledger_${suffix}'@'%'`);
  await root.end();
});

describe('the leases in the database', () => {
  leasesConformance(async () => {
    const both = await openLedger(freshUrl().url);
    opened.push(both);
    return both;
  });
});

describe('the ledger in the database', () => {
  ledgerConformance(() => open(freshUrl().url));

  it('makes its database when there is none, and goes on with what is there', async () => {
    const { url } = freshUrl();
    await (await open(url)).append('catalog', 0, [event()]);
    expect(await (await open(url)).history()).toHaveLength(1);
  });

  it('is made once by two control planes that start together', async () => {
    const { url } = freshUrl();
    const [one, two] = await Promise.all([open(url), open(url)]);
    await one.append('catalog', 0, [event()]);
    await expect(two.append('catalog', 0, [event()])).rejects.toMatchObject({
      code: 'LEDGER_CHANGED_MEANWHILE',
    });
  });

  it('lets one of two operators win who come through two control planes', async () => {
    const { url } = freshUrl();
    const ledgers = [await open(url), await open(url)];
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.allSettled(
        ledgers.map((ledger, index) => ledger.append('catalog', round, [event({ by: `operator ${index}` })])),
      );
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    }
    expect((await ledgers[0]?.history())?.map(({ sequence }) => sequence)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it.each([
    ['changed', "UPDATE strangler_ledger SET `by` = 'eve'"],
    ['deleted', 'DELETE FROM strangler_ledger'],
  ])('refuses that a row is %s, also by a person with SQL', async (_verb, sql) => {
    const { url } = freshUrl();
    await (await open(url)).append('catalog', 0, [event()]);
    const connection = await createConnection(url);
    await expect(connection.query(sql)).rejects.toThrow(/append-only/);
    await connection.end();
  });

  it('keeps the time in UTC whatever the zone of the server session', async () => {
    const { url } = freshUrl();
    const before = Date.now();
    const [stored] = await (await open(url)).append('catalog', 0, [event()]);
    const connection = await createConnection({ uri: url, dateStrings: true });
    await connection.query("SET time_zone = '+07:00'");
    const [[row]] = (await connection.query('SELECT at FROM strangler_ledger')) as unknown as [
      [{ at: string }],
    ];
    await connection.end();
    expect(new Date(`${row.at.replace(' ', 'T')}Z`).toISOString()).toBe(stored?.at);
    expect(Date.parse(stored?.at ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('says in one sentence what it lacks when its user may not make triggers', async () => {
    const user = { name: `ledger_${suffix}`, password: 'a-password' };
    const { url, name } = freshUrl(user);
    await root.query(`CREATE DATABASE \`${name}\``);
    await root.query(`CREATE USER '${user.name}'@'%' IDENTIFIED BY '${user.password}'`);
    await root.query(
      `GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX ON \`${name}\`.* TO '${user.name}'@'%'`,
    );
    expect((await checkLedger(url)).map(({ code, message }) => [code, message])).toEqual([
      ['LEDGER_PRIVILEGE', `its user lacks TRIGGER on "${name}"`],
    ]);
    await expect(openLedger(url)).rejects.toMatchObject({
      code: 'LEDGER_NOT_PREPARED',
      message: expect.stringMatching(/TRIGGER/),
    });
    await root.query(`GRANT TRIGGER ON \`${name}\`.* TO '${user.name}'@'%'`);
    expect(await checkLedger(url)).toEqual([]);
    // What was begun without the privilege is finished once it is there.
    await (await open(url)).append('catalog', 0, [event()]);
    const connection = await createConnection(url);
    await expect(connection.query('DELETE FROM strangler_ledger')).rejects.toThrow(/denied|append-only/);
    await connection.end();
  });
});

describe('the preflight of the ledger', () => {
  it('changes nothing', async () => {
    const { url, name } = freshUrl();
    expect(await checkLedger(url)).toEqual([]);
    const [found] = await root.query('SHOW DATABASES LIKE ?', [name]);
    expect(found).toEqual([]);
  });

  it('names an unreachable server without its password', async () => {
    const [problem] = await checkLedger('mysql://root:hunter2@127.0.0.1:1/ledger');
    expect(problem).toMatchObject({ code: 'LEDGER_UNREACHABLE', path: 'control.ledger' });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });
});

describe('the privileges of grants', () => {
  it.each([
    [
      ['GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION'],
      ['ALTER', 'CREATE', 'INSERT', 'SELECT', 'SUPER', 'TRIGGER', 'UPDATE'],
    ],
    [
      ['GRANT USAGE ON *.* TO `u`@`%`', 'GRANT SELECT, INSERT ON `ledger`.* TO `u`@`%`'],
      ['INSERT', 'SELECT', 'USAGE'],
    ],
    [['GRANT SELECT ON `led%`.* TO `u`@`%`'], ['SELECT']],
    [['GRANT SELECT ON `led\\_ger`.* TO `u`@`%`'], []],
    [['GRANT SELECT ON `ledger`.`one_table` TO `u`@`%`'], []],
    [['GRANT SELECT ON `other`.* TO `u`@`%`'], []],
  ])('%j hold %j on the database', (grants, held) => {
    const found = privilegesOn('ledger', grants);
    expect(found === 'cannot tell' ? found : [...found].toSorted()).toEqual(held);
  });

  it('cannot be told when they come by a role', () => {
    expect(privilegesOn('ledger', ['GRANT `operators` TO `u`@`%`'])).toBe('cannot tell');
  });
});
