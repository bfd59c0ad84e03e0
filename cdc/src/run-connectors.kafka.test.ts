import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadPlan } from '@strangler/contracts';
import { check } from './check.js';
import { runConnectors } from './run-connectors.js';
import { until } from './testing/databases.js';
import { KafkaMachine } from './testing/kafka.js';
import { openShop, type Shop } from './testing/shop.js';
import { removePlans, writePlan } from './testing/sync-process.js';

type Answer = {
  readonly dryRun: boolean;
  readonly connectors: readonly {
    readonly did: string;
    readonly differs: readonly string[];
    readonly status: { readonly state: string } | null;
  }[];
};

describe('the connectors of a plan', () => {
  let shop: Shop;
  let plan: string;
  let environment: Record<string, string>;
  let connectUrl: string;
  const account = `reads_${randomBytes(4).toString('hex')}`;
  beforeAll(async () => {
    const machine = new KafkaMachine();
    connectUrl = machine.connectUrl;
    shop = await openShop();
    plan = await writePlan('127.0.0.1:1', 10);
    const source = `{ kind: kafka, brokers: ["${machine.brokers[0]}"], connect: "${machine.connectUrl}", topicPrefix: "${shop.from.schema.replaceAll('_', '-')}" }`;
    const text = await readFile(plan, 'utf8');
    await writeFile(plan, text.replace('sync: { admin: 0 }', `sync: { admin: 0, source: ${source} }`));
    await shop.from.root.query(
      `CREATE USER ${account}@'127.0.0.1' IDENTIFIED BY 'reads'; GRANT ALL ON *.* TO ${account}@'127.0.0.1'`,
    );
    const legacy = new URL(shop.from.url);
    [legacy.username, legacy.password] = [account, 'reads'];
    environment = { SECRET: '0123456789abcdef', LEGACY: legacy.href, SERVICE: shop.to.url };
  });
  afterAll(async () => {
    await run('remove');
    await shop.from.root.query(`DROP USER IF EXISTS ${account}@'127.0.0.1'`);
    await shop.drop();
    await removePlans();
  });

  async function run(verb: string, ...more: readonly string[]) {
    const lines: string[] = [];
    const code = await runConnectors([verb, '--plan', plan, '--json', ...more], environment, {
      out: (line) => lines.push(line),
      err: (line) => lines.push(line),
    });
    const answer = lines[0]?.startsWith('{') ? (JSON.parse(lines[0]) as Answer) : undefined;
    return { code, only: answer?.connectors[0], text: lines.join('\n') };
  }
  const problems = async () => {
    const loaded = await loadPlan(plan, environment);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return (await check(loaded.plan)).map(({ code }) => code);
  };

  it('are created, told, paused, restarted, changed and removed, and the preflight sees which of it', async () => {
    expect(await run('apply', '--dry-run')).toMatchObject({
      code: 0,
      only: { did: 'created', status: null },
    });
    expect((await run('status')).code).toBe(1);
    expect(await problems()).toContain('CONNECTOR_MISSING');

    const applied = await run('apply');
    expect(applied).toMatchObject({ code: 0, only: { did: 'created' } });
    // The password of the database is part of the configuration and of no answer.
    expect(applied.text).not.toContain(new URL(shop.from.url).password);
    await until(async () => (await run('status')).code === 0, 'running', 60_000);
    expect(await problems()).not.toContain('CONNECTOR_MISSING');
    expect(await run('apply')).toMatchObject({ code: 0, only: { did: 'nothing' } });

    await run('pause');
    await until(async () => (await run('status')).only?.status?.state === 'PAUSED', 'paused', 30_000);
    await run('resume');
    await until(async () => (await run('status')).code === 0, 'resumed', 30_000);

    // A task that cannot log in has failed, and says why.
    expect(await run('restart')).toMatchObject({ code: 0, only: { did: 'nothing' } });
    const lock = (how: string) => shop.from.root.query(`ALTER USER ${account}@'127.0.0.1' ACCOUNT ${how}`);
    await lock('LOCK');
    const name = `${shop.from.schema.replaceAll('_', '-')}-catalog`;
    await fetch(`${connectUrl}/connectors/${name}/restart?includeTasks=true`, { method: 'POST' });
    // The task that was there may fail before the worker says that it restarts it: what counts is what stays.
    let failed = 0;
    await until(
      async () => {
        await delay(250);
        const answer = await fetch(`${connectUrl}/connectors/${name}/status`);
        const { tasks } = (await answer.json()) as { tasks: { state: string }[] };
        failed = tasks[0]?.state === 'FAILED' ? failed + 1 : 0;
        return failed === 12;
      },
      'the task has failed',
      60_000,
    );
    await lock('UNLOCK');
    const failing = await run('status');
    expect(failing.code).toBe(1);
    expect(failing.text).toContain('FAILED');
    expect(await run('restart', '--dry-run')).toMatchObject({ only: { did: 'restarted' } });
    expect((await run('status')).code).toBe(1);
    expect(await run('restart')).toMatchObject({ code: 0, only: { did: 'restarted' } });
    await until(async () => (await run('status')).code === 0, 'started again', 40_000);

    const text = await readFile(plan, 'utf8');
    await writeFile(plan, text.replace('kind: kafka,', 'kind: kafka, retentionHours: 3,'));
    expect(await problems()).toContain('CONNECTOR_DIFFERS');
    expect(await run('apply')).toMatchObject({
      only: { did: 'changed', differs: ['topic.creation.default.retention.ms'] },
    });
    expect(await problems()).not.toContain('CONNECTOR_DIFFERS');

    expect(await run('remove')).toMatchObject({ code: 0, only: { did: 'removed', status: null } });
    expect(await run('remove')).toMatchObject({ code: 0, only: { did: 'nothing' } });
  }, 180_000);

  it('are asked for in one way only', async () => {
    expect((await run('destroy')).code).toBe(2);
    expect((await run('apply', '--migration', 'nobody')).code).toBe(2);
  });
});
