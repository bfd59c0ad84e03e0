import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type Plan, type Problem, reasonOf, StranglerError, type UpstreamTls } from '@strangler/contracts';
import { tlsUnusable } from './errors.js';

/** What node:tls needs to trust an upstream, and to be trusted by it. */
export type TlsOptions = {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized: boolean;
};

/** Reads the files of an upstream's TLS settings; paths start at the plan's folder. Throws TLS_UNUSABLE. */
export function readTls(name: string, tls: UpstreamTls | undefined, folder: string): TlsOptions {
  if (tls === undefined) return { rejectUnauthorized: true };
  const read = (key: 'ca' | 'cert' | 'key'): Pick<TlsOptions, 'ca' | 'cert' | 'key'> => {
    const file = tls[key];
    if (file === undefined) return {};
    try {
      return { [key]: readFileSync(resolve(folder, file)) };
    } catch (error) {
      throw tlsUnusable(`upstreams.${name}.tls.${key}`, error);
    }
  };
  const options = {
    ...read('ca'),
    ...read('cert'),
    ...read('key'),
    rejectUnauthorized: !tls.insecure,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw tlsUnusable(`upstreams.${name}.tls`, error);
  }
  return options;
}

/** The same, told before anything starts. */
export function checkUpstreamTls({ upstreams, folder }: Pick<Plan, 'upstreams' | 'folder'>): Problem[] {
  return Object.entries(upstreams).flatMap(([name, { tls }]) => {
    try {
      readTls(name, tls, folder);
      return [];
    } catch (error) {
      if (!(error instanceof StranglerError)) throw error;
      return [
        {
          code: error.code,
          path: `upstreams.${name}.tls`,
          message: `cannot be used (${reasonOf(error.cause)})`,
          remedy: 'correct the paths of the PEM files, and see that certificate and key belong together',
        },
      ];
    }
  });
}
