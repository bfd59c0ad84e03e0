import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from '@strangler/contracts';
import { createConnection, type Connection } from 'mysql2/promise';
import { runCommand } from './run-command.js';

const CLI = resolve(import.meta.dirname, '../../migrations/bin/strangler.js');
const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
const schemas = ['a', 'b', 'c'].map((name) => `doctor_${name}_${randomBytes(3).toString('hex')}`);
const [legacy = '', service = '', other = ''] = schemas;
const at = (schema: string) => Object.assign(new URL(server), { pathname: `/${schema}` }).href;

describe('strangler doctor', () => {
  let folder = '';
  let root: Connection;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doctor-'));
    root = await createConnection({ uri: server, multipleStatements: true });
    await root.query(
      schemas.map((schema) => `CREATE DATABASE ${schema} CHARACTER SET utf8mb4`).join(';') +
        `; CREATE TABLE ${legacy}.product (id INT PRIMARY KEY, name VARCHAR(60), price DECIMAL(9,2))` +
        `; CREATE TABLE ${service}.item (id INT PRIMARY KEY, title VARCHAR(60), price DECIMAL(9,0) DEFAULT 7 COMMENT 'in euro') ENGINE = MyISAM` +
        `; CREATE TABLE ${other}.item (id INT PRIMARY KEY, title VARCHAR(60))`,
    );
    const migration = (to: string, columns: string) => `
    owner: team
    upstream: service
    routes: ["GET /${to}"]
    data: { from: legacy, to: ${to}, tables: [{ from: product, to: item, key: { id: id }, columns: ${columns} }] }`;
    await writeFile(
      join(folder, 'strangler.yaml'),
      `version: 1
proxy: { listen: 0, secret: !env SECRET }
control: { listen: 0, ledger: !env LEGACY }
flags: { file: flags.json }
databases: { legacy: !env LEGACY, service: !env SERVICE, other: !env OTHER }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  catalog:${migration('service', '{ title: name, price: price }')}
  search:${migration('other', '{ title: name }')}
`,
    );
  });
  afterAll(async () => {
    await root.query(schemas.map((schema) => `DROP DATABASE ${schema}`).join(';'));
    await root.end();
    await rm(folder, { recursive: true, force: true });
  });
  const doctor = async (args: readonly string[], changes: NodeJS.ProcessEnv = {}) => {
    const command = ['doctor', '--plan', join(folder, 'strangler.yaml'), ...args];
    const urls = { LEGACY: at(legacy), SERVICE: at(service), OTHER: at(other) };
    const environment = { ...process.env, SECRET: '0123456789abcdef', ...urls, ...changes };
    const { code, out, err } = await runCommand(CLI, command, environment);
    return { code, out, err };
  };

  it('looks before anything runs, says everything at once, and what it says to run remedies it', async () => {
    const { code, out } = await doctor([]);
    expect(code).toBe(2);
    expect(out).toBe(`No data flow before this is remedied:

  migrations.catalog.data.tables[0].columns  TABLE_NOT_TRANSACTIONAL
    target table "item" is of engine "myisam", in which rows and their offset cannot be written together
    run "ALTER TABLE item ENGINE = InnoDB":
      ALTER TABLE \`${service}\`.\`item\` ENGINE = InnoDB;

  migrations.catalog.data.tables[0].columns.price  COLUMN_NARROWER
    column "price" of target table "item" is a "decimal(9,0)" and silently loses of a "decimal(9,2)" digits behind the point
    widen it:
      ALTER TABLE \`${service}\`.\`item\` MODIFY \`price\` decimal(9,2) DEFAULT ${/DEFAULT ('?7'?)/.exec(out)?.[1]} COMMENT 'in euro';

2 findings: 2 refuse, 0 warn, 0 tell
`);
    const { findings } = { findings: JSON.parse((await doctor(['--json'])).out) as Finding[] };
    expect(findings.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      'refuses migrations.catalog.data.tables[0].columns',
      'refuses migrations.catalog.data.tables[0].columns.price',
    ]);
    expect(await doctor(['--migration', 'search'])).toEqual({
      code: 0,
      out: 'nothing found: data can flow\n',
      err: '',
    });
    for (const { statements = [] } of findings) for (const each of statements) await root.query(each);
    expect(await doctor(['--json'])).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  it('says what is wrong with the question, and with the plan', async () => {
    expect(await doctor(['--migration', 'nowhere'])).toMatchObject({
      code: 2,
      err: 'migration "nowhere" is not in the plan: known are "catalog", "search"\n',
    });
    expect(await doctor([], { OTHER: '' })).toMatchObject({ code: 2, out: '' });
    expect((await doctor([], { OTHER: 'mysql://u:p@127.0.0.1:1/x' })).out).toMatch(
      /databases\.other {2}DATABASE_UNREACHABLE\n {4}does not answer \(.*ECONNREFUSED.*\)\n {4}start it or correct its URL\n/,
    );
  });
});
