import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Served } from './nginx.js';
import { freePort, type OwnedProcesses, waitFor } from './owned-processes.js';
import { pathOf } from './system-program.js';

/** HAProxy on one thread, connections kept on both sides. Undefined without it. */
export async function startHaproxy(
  at: string,
  upstream: string,
  owned: OwnedProcesses,
): Promise<Served | undefined> {
  const haproxy = pathOf('haproxy');
  if (haproxy === undefined) return undefined;
  const port = await freePort();
  const file = join(at, 'haproxy.cfg');
  await writeFile(
    file,
    [
      'global',
      '  nbthread 1',
      '  maxconn 1024',
      'defaults',
      '  mode http',
      '  option forwardfor',
      '  http-reuse always',
      '  timeout connect 5s',
      '  timeout client 30s',
      '  timeout server 30s',
      'frontend clients',
      `  bind 127.0.0.1:${port}`,
      '  default_backend legacy',
      'backend legacy',
      `  server one ${new URL(upstream).host}`,
      '',
    ].join('\n'),
  );
  const process = owned.start(haproxy, ['-db', '-f', file], { core: 'measured' });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(`${url}/`);
  return { url, process };
}
