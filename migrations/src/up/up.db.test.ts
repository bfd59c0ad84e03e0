import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAlive, operatorFolder, type OperatorFolder, until } from './terminal.fixture.js';

let place: OperatorFolder;
beforeEach(async () => {
  place = await operatorFolder(process.env['STRANGLER_MYSQL_URL'] ?? '');
});
afterEach(() => place.remove());

const fiveLines = (port: number) => `version: 1
proxy: { listen: 127.0.0.1:0, admin: 127.0.0.1:${port} }
upstreams: { legacy: http://127.0.0.1:3000 }
`;

describe('strangler up', () => {
  it('starts control, proxy and sync in this order, says where they are, and Ctrl-C ends them in reverse', async () => {
    const up = place.up();
    const urls = await up.ready();
    expect(urls).toContain(`control http://127.0.0.1:${place.ports.control}`);
    expect(urls).toContain(`report http://127.0.0.1:${place.ports.control}/v1/report.html`);
    const pids = Object.values(await up.pids());
    expect(pids).toHaveLength(3);
    up.signal('SIGINT');
    expect(await up.ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    const order = (pattern: RegExp) => [...up.log.text.matchAll(pattern)].map(([, name]) => name);
    expect(order(/strangler-(\w+) is ready/g)).toEqual(['control', 'proxy', 'sync']);
    expect(order(/strangler-(\w+) has ended/g)).toEqual(['sync', 'proxy', 'control']);
    expect(up.log.text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} control info  strangler-control is ready/m);
  });

  it('leaves no process when it is killed, running or starting', async () => {
    for (const wait of ['for ready', 'for the first child'] as const) {
      const up = place.up();
      if (wait === 'for ready') await up.ready();
      const pids = await until('a child', async () => {
        const found = Object.values(await up.pids());
        return found.length > 0 && found;
      });
      up.signal('SIGKILL');
      await until('the end of every child', () => pids.every((pid) => !isAlive(pid)));
      expect(await up.ended).toBeNull();
    }
  });

  it('ends cleanly on Ctrl-C at any moment of its start', async () => {
    for (const milliseconds of [0, 150, 400, 700, 1_000, 1_300]) {
      const up = place.up();
      await new Promise((done) => setTimeout(done, 100 + milliseconds));
      const pids = Object.values(await up.pids());
      up.signal('SIGINT');
      // Before its first statement Node itself ends on the signal, without a code.
      expect(pids.length === 0 ? [0, null] : [0]).toContain(await up.ended);
      expect(pids.filter(isAlive)).toEqual([]);
    }
  });

  it('starts a program again that died, and says so', async () => {
    const up = place.up();
    await up.ready();
    const before = await up.pids();
    for (const name of ['sync', 'control', 'proxy'] as const) {
      process.kill(before[name] ?? 0, 'SIGKILL');
      await until(`"${name}" again`, () => up.log.text.includes(`"strangler-${name}" is back`));
      expect(up.log.text).toContain(
        `"strangler-${name}" was ended by SIGKILL unexpectedly: starting it again in 250 ms`,
      );
    }
    const after = await up.pids();
    expect(Object.keys(after).toSorted()).toEqual(['control', 'proxy', 'sync']);
    expect(Object.values(after)).not.toEqual(expect.arrayContaining(Object.values(before)));
    await until('the subscribers again', async () => {
      const { code, out } = await place.strangler(['status', '--json']);
      return code === 0 && (JSON.parse(out) as { subscribers: unknown[] }).subscribers.length >= 2;
    });
  });

  it('gives up with exit 1 on a program that dies again and again, and leaves nothing', async () => {
    const up = place.up({ FAKE_SYNC: 'short-lived' });
    const pids = await until('the children', async () => {
      const found = await up.pids();
      return found['proxy'] !== undefined && Object.values(found);
    });
    expect(await up.ended).toBe(1);
    expect(up.log.text).toMatch(
      /"strangler-sync" ended 5 times right after its start: everything is stopped/,
    );
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('ends with exit 1 when a program cannot start at all', async () => {
    const up = place.up({ FAKE_SYNC: 'unready' });
    expect(await up.ended).toBe(1);
    expect(up.log.text).toMatch(/"strangler-sync" ended with exit code 1 before it was ready/);
    expect(up.log.text).not.toMatch(/up +info +ready: /);
  });

  it('tells all problems of all programs at once, starts nothing and exits 2', async () => {
    const taken = createServer().listen(place.ports.control, '127.0.0.1');
    await once(taken, 'listening');
    const { code, out, err } = await place.strangler(['up'], { FAKE_PROXY: 'problem', FAKE_SYNC: 'problem' });
    taken.close();
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/control\.listen: "127\.0\.0\.1:\d+" is taken by another program/);
    expect(err).toContain('strangler-proxy: is not well: make it well');
    expect(err).toContain('strangler-sync: is not well: make it well');
    await expect(readFile(join(place.folder, 'flags.json'))).rejects.toThrow(/ENOENT/);
  });

  it('finds two programs on one address, which each alone would find free', async () => {
    await writeFile(
      place.plan,
      (await readFile(place.plan, 'utf8')).replace(String(place.ports.sync), String(place.ports.control)),
    );
    const { code, err } = await place.strangler(['up']);
    expect(code).toBe(2);
    expect(err).toMatch(/control\.listen: "127\.0\.0\.1:\d+" is also the address of sync\.admin/);
  });

  it('runs the proxy alone for a plan without migrations', async () => {
    await writeFile(place.plan, fiveLines(place.ports.proxyAdmin));
    const up = place.up({ LEDGER: '' });
    await up.ready();
    expect(Object.keys(await up.pids())).toEqual(['proxy']);
    up.signal('SIGTERM');
    expect(await up.ended).toBe(0);
  });

  it('prints raw lines with --json', async () => {
    const up = place.up({}, ['--json']);
    await until('ready', () => up.log.text.includes('"ready":true'));
    up.signal('SIGTERM');
    expect(await up.ended).toBe(0);
    const entries = up.log.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { program: string; urls?: Record<string, string>; ready?: boolean });
    expect(new Set(entries.map(({ program }) => program))).toEqual(
      new Set(['strangler', 'strangler-control', 'strangler-proxy', 'strangler-sync']),
    );
    expect(entries.find(({ ready }) => ready)?.urls).toMatchObject({
      control: `http://127.0.0.1:${place.ports.control}`,
    });
  });
});
