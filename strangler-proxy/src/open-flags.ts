import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Plan } from '@strangler/contracts';
import { FlagFile } from './flag-file.js';
import { type Flags, noFlags } from './flags.js';
import { unleashFlags } from './unleash-flags.js';
import { serverFlags } from './unleash-server.js';

/** The flags of a plan: a file, a server, or none. Last flags of a server lie beside the last phases. */
export function openFlags({ flags, folder, proxy }: Plan, log: Logger): Flags {
  if (flags?.unleash) {
    const { stateFile } = proxy;
    const backup = stateFile === undefined ? undefined : `${resolve(folder, stateFile)}.flags`;
    return serverFlags({ server: flags.unleash, backup, log });
  }
  return flags?.file === undefined ? noFlags : unleashFlags(new FlagFile(resolve(folder, flags.file)), log);
}
