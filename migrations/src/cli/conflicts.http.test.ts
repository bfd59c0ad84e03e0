import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeptConflict } from '@strangler/contracts';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';

const conflict: KeptConflict = {
  table: 'item',
  key: '7',
  policy: 'authority',
  winner: 'target',
  source: { title: 'ours' },
  target: null,
  at: '2026-01-02T03:04:05Z',
};
let sync: Server;
let folder: string;
let plan: string;
beforeAll(async () => {
  sync = createServer((request, response) => {
    const isKnown = request.url === '/migrations/catalog/conflicts';
    response
      .writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' })
      .end(
        JSON.stringify(
          isKnown ? { conflicts: [conflict] } : { code: 'MIGRATION_UNKNOWN', message: 'unknown' },
        ),
      );
  });
  await new Promise<void>((done) => sync.listen(0, '127.0.0.1', done));
  folder = await mkdtemp(join(tmpdir(), 'strangler-conflicts-'));
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

async function strangler(...args: string[]) {
  let [out, err] = ['', ''];
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    interactive: false,
  };
  const code = await runCli(['conflicts', 'list', ...args, '--plan', plan], {
    terminal,
    environment: { ...ENVIRONMENT, LEDGER: 'mysql://u:p@127.0.0.1:1/ledger' },
    operator: 'ann',
    up: async () => 1,
  });
  return { code, out, err };
}

describe('strangler conflicts list', () => {
  it('shows who won, by what, and both rows', async () => {
    expect(await strangler('catalog')).toEqual({
      code: 0,
      err: '',
      out: 'catalog: the newest 1 conflicts\n  2026-01-02T03:04:05Z item:7: the target won by authority\n    source {"title":"ours"}\n    target null\n',
    });
    const { out } = await strangler('catalog', '--json');
    expect(JSON.parse(out)).toEqual({ conflicts: [conflict] });
  });

  it('says what sync says of a migration without data', async () => {
    expect(await strangler('other')).toMatchObject({ code: 2, err: 'unknown\n' });
  });
});
