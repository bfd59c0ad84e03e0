import { createServer } from 'node:net';
import type { Address } from './address.js';
import type { Problem } from './problem.js';
import { reasonOf } from './errors.js';

/** Whether the address can be listened on, by listening for a moment. `path` is where the plan names it. */
export async function checkPort(path: string, address: Address): Promise<readonly Problem[]> {
  if (address.port === 0) return [];
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((done) => {
    const server = createServer().once('error', done);
    server.listen({ ...address, exclusive: true }, () => server.close(() => done(undefined)));
  });
  if (!failure) return [];
  const where = `"${address.host}:${address.port}"`;
  const problem =
    failure.code === 'EADDRINUSE'
      ? { message: `${where} is taken by another program`, remedy: 'end that program or choose another port' }
      : {
          message: `${where} cannot be listened on (${reasonOf(failure)})`,
          remedy: 'choose an address of this machine',
        };
  return [{ code: 'PORT_UNAVAILABLE', path, ...problem }];
}
