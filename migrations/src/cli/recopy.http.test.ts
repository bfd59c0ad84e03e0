import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';

let sync: Server;
let folder: string;
let plan: string;
const asked: unknown[] = [];

beforeAll(async () => {
  sync = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      asked.push([`${request.method} ${request.url}`, body]);
      const isKnown = body['table'] === 'stock';
      const recopy = {
        table: 'stock',
        from: body['from'] ?? null,
        to: body['to'] ?? null,
        looked: 0,
        total: 2_400,
        removed: 0,
        etaMs: null,
        requestedAt: '2026-01-02T03:04:05Z',
        finishedAt: null,
      };
      response
        .writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' })
        .end(
          JSON.stringify(
            isKnown
              ? { dryRun: body['dryRun'] ?? false, recopy }
              : { code: 'TABLE_NOT_MAPPED', message: 'table "x" is not copied' },
          ),
        );
    });
  });
  await new Promise<void>((done) => sync.listen(0, '127.0.0.1', done));
  folder = await mkdtemp(join(tmpdir(), 'strangler-recopy-'));
  plan = join(folder, 'strangler.yaml');
  const { port } = sync.address() as AddressInfo;
  await writeFile(plan, planText({ proxy: 1, proxyAdmin: 2, sync: port, control: 4 }));
});
afterAll(async () => {
  sync.close();
  await rm(folder, { recursive: true });
});

async function strangler(...args: string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(['recopy', ...args, '--plan', plan], {
    terminal: {
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
      interactive: false,
    },
    environment: { ...ENVIRONMENT, LEDGER: 'mysql://u:p@127.0.0.1:1/ledger' },
    operator: 'ann',
    up: async () => 1,
  });
  return { code, out, err };
}

it('strangler recopy asks sync for a table or a range of it, and says what was begun', async () => {
  expect(await strangler('catalog', 'stock')).toEqual({
    code: 0,
    err: '',
    out: 'catalog: table "stock" is being copied again, 2,400 rows of both sides; see "strangler status"\n',
  });
  expect(await strangler('catalog', 'stock', '--from', '7', '--to', '9', '--dry-run')).toMatchObject({
    code: 0,
    out: 'catalog: table "stock" from 7 to 9 would be copied again, 2,400 rows of both sides\n',
  });
  const { out } = await strangler('catalog', 'stock', '--json');
  expect(JSON.parse(out)).toMatchObject({ dryRun: false, recopy: { table: 'stock', total: 2_400 } });
  expect(asked).toEqual([
    ['POST /migrations/catalog/recopy', { table: 'stock' }],
    ['POST /migrations/catalog/recopy', { table: 'stock', from: '7', to: '9', dryRun: true }],
    ['POST /migrations/catalog/recopy', { table: 'stock' }],
  ]);
  const refused = await strangler('catalog', 'x');
  expect([refused.code === 0, refused.err]).toEqual([false, 'table "x" is not copied\n']);
});
