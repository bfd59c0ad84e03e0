import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

const COM_QUERY = 0x03;

/** A database URL that leads through a counter of the queries sent to it. */
export interface QueryCounter {
  readonly url: string;
  count(): number;
  close(): Promise<void>;
}

/** Reads the first packet of each client write: its number (0 begins a command) and the command's byte behind it. */
export async function countQueries(target: string): Promise<QueryCounter> {
  const { hostname, port } = new URL(target);
  let queries = 0;
  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    client.on('data', (chunk) => {
      if (chunk[3] === 0 && chunk[4] === COM_QUERY) queries += 1;
    });
    client.pipe(database).pipe(client);
    for (const [one, other] of [
      [client, database],
      [database, client],
    ] as const)
      one.on('error', () => other.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    count: () => queries,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
