import { join } from 'node:path';
import type { Served } from './nginx.js';
import { type OwnedProcesses, readyMessage } from './owned-processes.js';

/** In place of nginx where there is none: slower, but the same for everybody. */
export async function startNodeUpstream(owned: OwnedProcesses, path: string): Promise<Served> {
  const started = owned.start(process.execPath, [join(import.meta.dirname, 'peers', 'upstream.js')], {
    core: 'other',
    ipc: true,
    environment: { PATH: path },
  });
  const { url } = await readyMessage(started, 'upstream');
  return { url: String(url), process: started };
}
