import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** What a file says: its text, null when it is not there, or why it cannot be read. */
export type FileText = string | null | Error;

export type WatchFileOptions = {
  /** How long a file must be left alone before it is read. */
  readonly debounceMs: number;
  /** Called with the first text and each one that differs from the last, one at a time. */
  readonly onText: (text: FileText) => void | Promise<void>;
  /** The watch itself is lost; the file is still looked at every two seconds. */
  readonly onLost: (error: Error) => void;
};

// Some mounted file systems tell nobody of a change.
const POLL_MS = 2_000;

/** Follows the content of a file, however it is replaced. Resolves after the first look. Throws when its folder is not there. */
export async function watchFile(file: string, options: WatchFileOptions): Promise<{ stop(): void }> {
  const { debounceMs, onText, onLost } = options;
  let seen: string | undefined;
  let debounce: NodeJS.Timeout | undefined;
  let isStopped = false;
  // One look at a time: two that overlap could put the older version into force.
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? null : error,
    );
    // An error that stays is told once, as a bad version is.
    const version = text === null ? 'missing' : `${typeof text}${String(text)}`;
    if (version === seen || isStopped) return;
    seen = version;
    await onText(text);
  };
  const again = () => (looking = looking.then(look));
  // The folder and not the file: editors, the control plane and Kubernetes replace a file by renaming another one to it.
  const watcher: FSWatcher = watch(dirname(file), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(file) && name !== '..data') return;
    clearTimeout(debounce);
    debounce = setTimeout(() => void again(), debounceMs).unref();
  });
  watcher.on('error', onLost);
  const poll = setInterval(() => void again(), POLL_MS).unref();
  await again();
  return {
    stop() {
      isStopped = true;
      watcher.close();
      clearTimeout(debounce);
      clearInterval(poll);
    },
  };
}
