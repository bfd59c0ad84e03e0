import { X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type Plan, StranglerError } from '@strangler/contracts';
import { tlsFilesInvalid } from './errors.js';

/** A certificate and its key, which have been seen to belong together. */
export type TlsPair = {
  readonly cert: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
};

type Paths = Pick<NonNullable<Plan['proxy']['tls']>, 'cert' | 'key'>;

// Two files are replaced one after the other; a pair that does not fit yet is looked at again by the poll.
const DEBOUNCE_MS = 50;
// Some mounted file systems tell nobody of a change.
const POLL_MS = 2_000;

/** Reads the pair; PROXY_TLS_INVALID when a file is missing or the two do not belong together. */
export async function readTlsPair(folder: string, paths: Paths): Promise<TlsPair | StranglerError> {
  try {
    const [cert, key] = await Promise.all(
      [paths.cert, paths.key].map((path) => readFile(resolve(folder, path), 'utf8')),
    );
    if (cert === undefined || key === undefined) throw new Error('a file is missing');
    createSecureContext({ cert, key });
    return { cert, key, notAfter: Date.parse(new X509Certificate(cert).validTo) };
  } catch (error) {
    return tlsFilesInvalid(paths.cert, error);
  }
}

/** Calls back with every new pair, and with every new reason why the files are none: then the old pair stays in force. */
export function watchTlsPair(
  folder: string,
  paths: Paths,
  first: TlsPair,
  onChange: (pair: TlsPair | StranglerError) => void,
): { stop(): void } {
  let last = first.cert + first.key;
  let told = '';
  let reading: Promise<void> = Promise.resolve();
  let debounce: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    const next = await readTlsPair(folder, paths);
    if (isStopped) return;
    if (next instanceof StranglerError) {
      if (next.message !== told) onChange(next);
      told = next.message;
      return;
    }
    told = '';
    if (next.cert + next.key === last) return;
    last = next.cert + next.key;
    onChange(next);
  };
  // One look at a time: two that overlap could put the older pair into force.
  const again = () => void (reading = reading.then(look));
  // The folders and not the files: certificates are renewed by renaming, in Kubernetes by moving the link "..data".
  const folders = new Set([paths.cert, paths.key].map((path) => dirname(resolve(folder, path))));
  const watchers: FSWatcher[] = [...folders].map((each) =>
    watch(each, { persistent: false }, () => {
      clearTimeout(debounce);
      debounce = setTimeout(again, DEBOUNCE_MS).unref();
    }).on('error', () => {}),
  );
  const poll = setInterval(again, POLL_MS).unref();
  return {
    stop() {
      isStopped = true;
      clearTimeout(debounce);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}
