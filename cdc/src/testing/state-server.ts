import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Phase, RoutingState } from '@strangler/contracts';

/** A control plane that only says in which phase one migration is. */
export async function stateServer(
  migration: string,
  phase: Phase,
): Promise<{ readonly listen: string; set(phase: Phase): void; stop(): void }> {
  let state: RoutingState = {
    version: 1,
    migrations: { [migration]: { phase, since: '2026-01-01T00:00:00Z' } },
  };
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url ?? '/', 'http://state').searchParams.get('after'));
    const answer = () =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(state));
    if (after < state.version) answer();
    else waiting.push(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    listen: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next) {
      state = {
        version: state.version + 1,
        migrations: { [migration]: { phase: next, since: '2026-01-01T00:00:00Z' } },
      };
      for (const answer of waiting.splice(0)) answer();
      waiting = [];
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
