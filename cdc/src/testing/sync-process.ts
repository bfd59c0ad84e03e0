import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ReadyMessage, SyncEvidence } from '@strangler/contracts';
import type { Shop } from './shop.js';

const BIN = resolve(import.meta.dirname, '../../bin/strangler-sync.js');

export type SyncProcess = {
  readonly process: ChildProcess;
  readonly url: string;
  evidence(): Promise<SyncEvidence>;
  /** Resolves with exit code and signal when it has ended. */
  ended(): Promise<readonly [number | null, NodeJS.Signals | null]>;
  readonly output: () => string;
};

const folders = new Set<string>();

/** Removes every plan that was written. */
export async function removePlans(): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

/** The plan of the shop as a file, its control plane at `listen`. */
export async function writePlan(listen: string, chunkRows: number, port = 0): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'strangler-sync-'));
  folders.add(folder);
  const file = join(folder, 'plan.yaml');
  await writeFile(
    file,
    `version: 1
proxy: { listen: 0, secret: !env SECRET }
sync: { admin: ${port} }
control: { listen: "${listen}", ledger: !env LEGACY }
flags: { file: flags.json }
databases: { legacy: !env LEGACY, service: !env SERVICE }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  catalog:
    owner: team
    upstream: service
    routes: ["GET /x"]
    data:
      from: legacy
      to: service
      chunkRows: ${chunkRows}
      tables:
        - from: product
          to: item
          key: { id: id }
          columns: { sku: sku, title: name, price_minor: { minor: price, digits: 2 }, added_at: { utc: added, zone: Europe/Berlin } }
          split: [{ to: item_tag, column: tags, key: { item_id: id }, item: tag, position: position }]
          lost: [tags, note]
        - from: stock
          to: item_stock
          key: { item_id: product_id, place: place }
          columns: { quantity: quantity }
`,
  );
  return file;
}

/** The built program, started as the toolkit starts it. Resolves when it says that it is ready. */
export async function startSync(
  plan: string,
  shop: Shop,
  args: readonly string[] = [],
): Promise<SyncProcess> {
  let output = '';
  const child = fork(BIN, ['--plan', plan, ...args], {
    env: { ...process.env, SECRET: '0123456789abcdef', LEGACY: shop.from.url, SERVICE: shop.to.url },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<readonly [number | null, NodeJS.Signals | null]>((done) =>
    child.once('exit', (code, signal) => done([code, signal])),
  );
  const url = await Promise.race([
    new Promise<string>((done) =>
      child.once('message', (message: ReadyMessage) => done(message.urls['admin'] ?? '')),
    ),
    ended.then(([code]) => {
      throw new Error(`strangler-sync ended with ${code}: ${output}`);
    }),
  ]);
  return {
    process: child,
    url,
    output: () => output,
    ended: () => ended,
    evidence: async () => (await (await fetch(`${url}/evidence`)).json()) as SyncEvidence,
  };
}
