import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkPort, type ProxyEvidence, type ReadyMessage } from '@strangler/contracts';
import { createRig, eventually } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const PROGRAM = resolve(import.meta.dirname, '../bin/strangler-proxy.js');

async function start(proxy: object, legacy: string) {
  const folder = await rig.folder();
  const file = join(folder, 'plan.yaml');
  const write = (more: object) =>
    writeFile(
      file,
      JSON.stringify({
        version: 1,
        proxy: { listen: 0, admin: 0, workers: 2, ...proxy },
        upstreams: { legacy },
        ...more,
      }),
    );
  await write({});
  const child = spawn(process.execPath, [PROGRAM, '--plan', file], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  rig.own(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += String(text)));
  return { child, write, output: () => output };
}
const ready = async (child: ChildProcess): Promise<Readonly<Record<string, string>>> =>
  ((await once(child, 'message'))[0] as ReadyMessage).urls;
const evidence = async (admin: string | undefined): Promise<ProxyEvidence> =>
  (await (await fetch(`${admin}/evidence`)).json()) as ProxyEvidence;
const pidOf = ({ instance }: ProxyEvidence): number => Number(instance.split('-').at(-1));
/** On a connection of its own. */
const get = (url: string | undefined, headers = {}): Promise<number> =>
  new Promise((done, failed) => {
    httpRequest(`${url}/`, { agent: false, headers }, (response) =>
      response.resume().on('end', () => done(response.statusCode ?? 0)),
    )
      .on('error', failed)
      .end();
  });
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('workers of a proxy', () => {
  it('can be tried here', () => expect(existsSync(resolve(PROGRAM, '../../dist/main.js'))).toBe(true));

  it('share one port, and each is asked by an admin port of its own', async () => {
    const legacy = await rig.server((_request, response) => response.end('ok'));
    const { child } = await start({}, legacy.url);
    const { proxy, admin, admin1 } = await ready(child);
    for (let index = 0; index < 20; index++) expect(await get(proxy)).toBe(200);
    const [first, second] = [await evidence(admin), await evidence(admin1)];
    expect(first.instance).not.toBe(second.instance);
    expect(first.requests.total + second.requests.total).toBe(20);
    expect(Math.min(first.requests.total, second.requests.total)).toBeGreaterThan(0);
  });

  it('are started again when one is killed, and the others serve meanwhile', async () => {
    const legacy = await rig.server((_request, response) => response.end('ok'));
    const { child, output } = await start({}, legacy.url);
    const { proxy, admin, admin1 } = await ready(child);
    const killed = pidOf(await evidence(admin1));
    process.kill(killed, 'SIGKILL');
    await eventually(output, (text) => text.includes('worker 1 ended with SIGKILL and is started again'));
    for (let index = 0; index < 10; index++) expect(await get(proxy)).toBe(200);
    // Port 0 gives the new one another admin port: seen by its line in the log.
    await eventually(output, (text) => text.split('strangler-proxy is ready').length > 4, 20_000);
    const before = (await evidence(admin)).requests.total;
    for (let index = 0; index < 10; index++) expect(await get(proxy)).toBe(200);
    expect((await evidence(admin)).requests.total - before).toBeLessThan(10);
  });

  it('finish what is on its way when they are asked to end, and none is left', async () => {
    let answer: (() => void) | undefined;
    const legacy = await rig.server((_request, response) => {
      // Those that come while it ends must not take the place of the one that is waited for.
      if (answer) response.end('ok');
      else answer = () => response.end('late');
    });
    const { child } = await start({}, legacy.url);
    const { proxy, admin, admin1 } = await ready(child);
    const pids = [pidOf(await evidence(admin)), pidOf(await evidence(admin1))];
    const late = get(proxy);
    await eventually(() => answer !== undefined, Boolean);
    child.kill('SIGTERM');
    // node:cluster can hold a connection that comes in the moment of its end until that end.
    const gone = () => delay(300, 'refused');
    await eventually(
      () => Promise.race([get(proxy).then(String, () => 'refused'), gone()]),
      (text) => text === 'refused',
    );
    answer?.();
    expect(await late).toBe(200);
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('all take a changed plan', async () => {
    const legacy = await rig.server((_request, response) => response.end('ok'));
    const { child, write } = await start({}, legacy.url);
    const { admin, admin1 } = await ready(child);
    const before = (await evidence(admin)).planRevision;
    await write({ upstreams: { legacy: legacy.url, other: legacy.url } });
    for (const url of [admin, admin1])
      await eventually(
        async () => (await evidence(url)).planRevision,
        (revision) => revision !== before,
      );
    expect((await evidence(admin)).plan?.rejected).toBeNull();
  });

  it('end with the one who started them, when that one is killed', async () => {
    const legacy = await rig.server((_request, response) => response.end('ok'));
    const { child } = await start({}, legacy.url);
    const { admin, admin1 } = await ready(child);
    const pids = [pidOf(await evidence(admin)), pidOf(await evidence(admin1))];
    child.kill('SIGKILL');
    expect(
      await eventually(
        () => pids.filter(isAlive),
        (alive) => alive.length === 0,
        20_000,
      ),
    ).toEqual([]);
  });

  it('say why when none can start', async () => {
    let port: number;
    let taken: { readonly url: string };
    do {
      taken = await rig.server(() => {});
      port = Number(new URL(taken.url).port);
    } while ((await checkPort('the port before', { host: '127.0.0.1', port: port - 1 })).length > 0);
    const { child, output } = await start({ admin: port - 1 }, taken.url);
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).not.toBe(0);
    expect(output()).toContain('cannot be listened on');
    expect(output()).toContain('worker \\"1\\" of the proxy could not start');
  });
});
