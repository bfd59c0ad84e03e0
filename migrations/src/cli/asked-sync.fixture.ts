import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { runCli } from './cli.js';

/** What sync was asked. */
export type Question = {
  readonly request: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
};
export type Answer = { readonly status?: number; readonly body: unknown };
type Said = { readonly code: number; readonly out: string; readonly err: string };

export type AskedSync = {
  readonly asked: Question[];
  /** What the last question showed of itself. */
  readonly shown: () => string | undefined;
  /** Runs the command with a plan that names this sync. */
  strangler(...args: string[]): Promise<Said>;
  /** The same with a plan that gives tokens. */
  withTokens(...args: string[]): Promise<Said>;
  close(): Promise<void>;
};

/** A sync that answers as it is told, and a command of the CLI that asks it. */
export async function openAskedSync(
  command: readonly string[],
  answer: (question: Question) => Answer,
): Promise<AskedSync> {
  const asked: Question[] = [];
  let shown: string | undefined;
  const server = createServer((request, response) => {
    let text = '';
    shown = request.headers.authorization;
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
      const question = { request: `${request.method} ${request.url}`, body };
      asked.push(question);
      const { status = 200, body: told } = answer(question);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(told));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), 'strangler-cli-'));
  const ports = { proxy: 1, proxyAdmin: 2, sync: port, control: 4 };
  await writeFile(join(folder, 'strangler.yaml'), planText(ports));
  await writeFile(join(folder, 'with-tokens.yaml'), planText({ ...ports, tokens: true }));
  const run =
    (plan: string) =>
    async (...args: string[]): Promise<Said> => {
      let [out, err] = ['', ''];
      const code = await runCli([...command, ...args, '--plan', join(folder, plan)], {
        terminal: {
          out: (text: string) => void (out += text),
          err: (text: string) => void (err += text),
          interactive: false,
        },
        environment: { ...ENVIRONMENT, LEDGER: 'mysql://u:p@127.0.0.1:1/ledger' },
        operator: 'ann',
        up: async () => 1,
        doctor: async () => [],
      });
      return { code, out, err };
    };
  return {
    asked,
    shown: () => shown,
    strangler: run('strangler.yaml'),
    withTokens: run('with-tokens.yaml'),
    async close() {
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}
