import type { EventEmitter } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type ClientFeaturesResponse, Unleash, UnleashEvents, type UnleashConfig } from 'unleash-client';
import { reasonOf, type UnleashServer } from '@strangler/contracts';
import { flagServerLost } from './errors.js';
import type { Flags } from './flags.js';
import { StickyStrategy } from './sticky-strategy.js';
import { flagsBy } from './unleash-flags.js';

export type ServerFlagsOptions = {
  readonly server: UnleashServer;
  /** Where the last flags are kept for a start while the server is away; undefined: nowhere. */
  readonly backup: string | undefined;
  readonly log: Logger;
  /** How often the server is told; a minute when left out. */
  readonly metricsMs?: number;
};

// A start waits this long for the server, then goes on with what was last known.
const FIRST_FLAGS_MS = 2_000;
const TIMEOUT_MS = 5_000;

/** Flags of an Unleash server, which is told what became of them. While it is away the last known ones stay in force. */
export function serverFlags({ server, backup, log, metricsMs = 60_000 }: ServerFlagsOptions): Flags {
  const { url, token, appName, environment, refreshMs } = server;
  const unleash = new Unleash({
    url,
    appName,
    environment,
    refreshInterval: refreshMs,
    metricsInterval: metricsMs,
    timeout: TIMEOUT_MS,
    customHeaders: { Authorization: token },
    strategies: [new StickyStrategy()],
    storageProvider: backupIn(backup, url, log),
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  // It asks again and again; the log has one line for each thing that is wrong, until it is right again.
  const told = new Set<string>();
  const warn = (problem: unknown) => {
    const reason = reasonOf(problem);
    if (told.has(reason)) return;
    told.add(reason);
    log.warn(flagServerLost(url, reason).message);
  };
  const well = () => {
    if (told.size > 0) log.info(`unleash "${url}" answers again`);
    told.clear();
  };
  unleash.on(UnleashEvents.Warn, warn);
  unleash.on(UnleashEvents.Error, warn);
  unleash.on(UnleashEvents.Unchanged, well);
  unleash.on(UnleashEvents.Changed, well);
  return {
    ...flagsBy(unleash),
    start: async () => {
      await Promise.race([unleash.start(), delay(FIRST_FLAGS_MS, undefined, { ref: false })]);
      // The client counts itself ready one tick after it is.
      await nextTurn();
    },
    stop() {
      unleash.destroy();
      // The client takes its listeners off and then, when its last question fails, emits an error nobody hears: that ends a process.
      (unleash as unknown as { repository: EventEmitter }).repository.on(UnleashEvents.Error, () => {});
    },
  };
}

/** Keeps the last answer of one server: that of another says nothing of this one. */
function backupIn(
  file: string | undefined,
  url: string,
  log: Logger,
): NonNullable<UnleashConfig['storageProvider']> {
  type Kept = { readonly url: string; readonly flags: ClientFeaturesResponse };
  return {
    async get() {
      if (file === undefined) return undefined;
      try {
        const kept = JSON.parse(await readFile(file, 'utf8')) as Kept;
        return kept.url === url && Array.isArray(kept.flags?.features) ? kept.flags : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.warn(`last flags "${file}" cannot be read (${reasonOf(error)}): only the server has flags now`);
        return undefined;
      }
    },
    async set(_key, flags) {
      if (file === undefined) return;
      try {
        // Renamed into place: a start in the middle of a write must not find half of it.
        await writeFile(`${file}.new`, `${JSON.stringify({ url, flags } satisfies Kept)}\n`);
        await rename(`${file}.new`, file);
      } catch (error) {
        log.warn(`last flags "${file}" cannot be written (${reasonOf(error)}): correct proxy.stateFile`);
      }
    },
  };
}
