import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves on a free port in front of the upstream of the command line, and ends when who started it is gone. */
export async function servePeer(listenerOf: (upstream: string) => RequestListener): Promise<void> {
  const server = createServer(listenerOf(process.argv[2] ?? ''));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  tellReady((server.address() as AddressInfo).port);
}

export function tellReady(port: number): void {
  process.once('disconnect', () => process.exit());
  process.send?.({ url: `http://127.0.0.1:${port}` });
}
