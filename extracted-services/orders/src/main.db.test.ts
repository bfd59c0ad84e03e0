import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { ordersDatabase, type OrdersDatabase } from './testing/orders-database.js';

const DIST = resolve(import.meta.dirname, '../dist');
let database: OrdersDatabase;

beforeAll(async () => {
  database = await ordersDatabase(process.env['STRANGLER_MYSQL_URL'] ?? '');
});
afterAll(() => database.drop());

/** Needs the built program: "npm run build" first. */
const start = (script: string, environment: NodeJS.ProcessEnv = {}): ChildProcess =>
  fork(join(DIST, script), {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      ORDERS_DATABASE_URL: database.url,
      ORDERS_SHOP_URL: 'http://127.0.0.1:1',
      ORDERS_PORT: '0',
      ...environment,
    },
  });

/** Not by the event `close`: it never comes for a child that its parent has disconnected. */
async function outcome(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
  if (!child.stdout || !child.stderr) throw new Error('the output of the child is not piped');
  const [[code], out, err] = await Promise.all([
    once(child, 'exit') as Promise<[unknown]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, out, err };
}

describe('the program', () => {
  it('refuses to start before its migrations have run, in one sentence', async () => {
    expect(await outcome(start('main.js'))).toEqual({
      code: 1,
      out: '',
      err: `database "${database.name}" does not exist: create it with "npm run migrate"\n`,
    });
  });

  it('migrates, and says what it did', async () => {
    const done = { code: 0, out: 'migrated CreateOrders1761000000000\n', err: '' };
    expect(await outcome(start('migrate.js'))).toEqual(done);
    expect(await outcome(start('migrate.js'))).toEqual({ ...done, out: 'nothing to migrate\n' });
  });

  it.each([
    ['is asked to', (child: ChildProcess) => child.kill('SIGTERM')],
    ['is interrupted', (child: ChildProcess) => child.kill('SIGINT')],
    ['loses its parent', (child: ChildProcess) => child.disconnect()],
  ])('says where it listens, serves, and ends cleanly when it %s', async (_, end) => {
    const child = start('main.js');
    const ended = outcome(child);
    const [message] = (await once(child, 'message')) as [{ ready: boolean; url: string }];
    expect(message).toEqual({
      ready: true,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as unknown,
    });
    expect((await fetch(`${message.url}/api/stock/1`)).status).toBe(404);
    end(child);
    expect(await ended).toEqual({ code: 0, out: `orders listening on ${message.url}\n`, err: '' });
  });

  it('refuses a port that is taken, in one sentence', async () => {
    const holder = start('main.js');
    const [{ url }] = (await once(holder, 'message')) as [{ url: string }];
    const { port } = new URL(url);
    const refused = await outcome(start('main.js', { ORDERS_PORT: port }));
    holder.kill('SIGTERM');
    await once(holder, 'exit');
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: `address "127.0.0.1:${port}" cannot be listened on (EADDRINUSE): choose another ORDERS_PORT or correct ORDERS_HOST\n`,
    });
  });
});
