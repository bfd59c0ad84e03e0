import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ParkedKey } from '@strangler/contracts';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';

const parkedKey = (key: string): ParkedKey => ({
  key,
  code: 'ROW_REFUSED',
  problem: 'the title is too long',
  events: 2,
  firstSeen: '2026-01-02T03:04:05Z',
  lastSeen: '2026-01-02T03:04:06Z',
});

let sync: Server;
let folder: string;
let plan: string;
let keys: readonly ParkedKey[];
/** What the last question showed of itself. */
let shown: string | undefined;
const asked: { readonly request: string; readonly body: unknown }[] = [];
beforeAll(async () => {
  sync = createServer((request, response) => {
    let text = '';
    shown = request.headers.authorization;
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = text === '' ? undefined : (JSON.parse(text) as { key?: string; dryRun?: boolean });
      asked.push({ request: `${request.method} ${request.url}`, body });
      const dryRun = body?.dryRun ?? false;
      const all = body?.key === undefined ? keys.map(({ key }) => key) : [body.key];
      const answer =
        body === undefined
          ? { keys }
          : { dryRun, keys: all, released: dryRun ? [] : all.slice(0, 1), parked: keys.slice(1) };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((done) => sync.listen(0, '127.0.0.1', done));
  folder = await mkdtemp(join(tmpdir(), 'strangler-parked-'));
  plan = join(folder, 'strangler.yaml');
  await writeFile(
    plan,
    planText({ proxy: 1, proxyAdmin: 2, sync: (sync.address() as AddressInfo).port, control: 4 }),
  );
});
afterAll(async () => {
  sync.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  keys = [parkedKey('item:7'), parkedKey('item:9')];
});

async function strangler(...args: string[]) {
  let [out, err] = ['', ''];
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    interactive: false,
  };
  const code = await runCli(['parked', ...args, '--plan', plan], {
    terminal,
    environment: {
      ...ENVIRONMENT,

      LEDGER: 'mysql://u:p@127.0.0.1:1/ledger',
    },
    operator: 'ann',
    up: async () => 1,
  });
  return { code, out, err };
}

describe('strangler parked', () => {
  it('list: exits 3 while keys are parked and 0 when none is', async () => {
    expect(await strangler('list', 'catalog')).toEqual({
      code: 3,
      err: '',
      out: 'catalog: 2 keys are parked\n  item:7: the title is too long; 2 changes from 2026-01-02T03:04:05Z to 2026-01-02T03:04:06Z\n  item:9: the title is too long; 2 changes from 2026-01-02T03:04:05Z to 2026-01-02T03:04:06Z\n',
    });
    keys = [];
    expect(await strangler('list', 'catalog')).toMatchObject({ code: 0, out: 'catalog: no key is parked\n' });
    const { out } = await strangler('list', 'catalog', '--json');
    expect(JSON.parse(out)).toEqual({ keys: [] });
  });

  it('show: one of them; one that is not there exits 2 and says where to look', async () => {
    const { code, out } = await strangler('show', 'catalog', 'item:9', '--json');
    expect([code, JSON.parse(out)]).toEqual([0, parkedKey('item:9')]);
    expect(await strangler('show', 'catalog', 'item:1')).toMatchObject({
      code: 2,
      err: '"item:1" is not parked in migration "catalog": take a key from "strangler parked list catalog"\n',
    });
  });

  it('retry: exits 3 when some stay, and with --dry-run only says which', async () => {
    expect(await strangler('retry', 'catalog')).toMatchObject({
      code: 3,
      out: expect.stringMatching(/^catalog: 1 of 2 repaired\n {2}item:7\nstill parked:\n {2}item:9: /),
    });
    expect(await strangler('retry', 'catalog', 'item:7', '--dry-run')).toMatchObject({
      code: 0,
      out: 'catalog: these would be repaired\n  item:7\n',
    });
    expect(asked).toEqual([
      { request: 'POST /migrations/catalog/parked/retry', body: {} },
      { request: 'POST /migrations/catalog/parked/retry', body: { key: 'item:7', dryRun: true } },
    ]);
  });

  it('shows the token that sync asks for', async () => {
    await strangler('list', 'catalog');
    expect(shown).toBeUndefined();
    const { port } = sync.address() as AddressInfo;
    const open = plan;
    plan = join(folder, 'with-tokens.yaml');
    await writeFile(plan, planText({ proxy: 1, proxyAdmin: 2, sync: port, control: 4, tokens: true }));
    const { err } = await strangler('list', 'catalog');
    plan = open;
    expect(err).toBe('');
    expect(shown).toBe(`Bearer ${ENVIRONMENT.SYNC_TOKEN}`);
  });

  it('discard: is refused without a reason, and tells sync who and why', async () => {
    expect((await strangler('discard', 'catalog', 'item:7')).code).toBe(2);
    expect(asked).toEqual([]);
    await strangler('discard', 'catalog', 'item:7', '--why', 'a test row');
    expect(asked).toEqual([
      {
        request: 'POST /migrations/catalog/parked/discard',
        body: { key: 'item:7', by: 'ann', why: 'a test row' },
      },
    ]);
  });
});
