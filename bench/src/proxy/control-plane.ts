import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RoutingState } from '@strangler/contracts';

const POLL_MS = 20_000;

/** As much of a control plane as a proxy needs to know the phases: one state, handed out by long poll. */
export async function startControlPlane(
  state: RoutingState,
): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://control.invalid');
    if (Number(searchParams.get('after') ?? 0) < state.version)
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(state));
    const timer = setTimeout(() => response.writeHead(204).end(), POLL_MS);
    return void response.once('close', () => clearTimeout(timer));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}
