import { EventEmitter } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type ClientFeaturesResponse, type UnleashConfig, UnleashEvents } from 'unleash-client';
import { flagsInvalid } from './errors.js';

type Repository = NonNullable<UnleashConfig['repository']>;
type Feature = ClientFeaturesResponse['features'][number];
type Segment = NonNullable<ClientFeaturesResponse['segments']>[number];

const DEBOUNCE_MS = 20;
// Some mounted file systems tell nobody of a change.
const POLL_MS = 2_000;

/**
 * Flags from a file in the shape of Unleash's `GET /api/client/features`, read again whenever it changes. A file that is not
 * there means no flags; one that cannot be understood leaves the last good version in force. Both are told once, by `warn`.
 */
export class FlagFile extends EventEmitter implements Repository {
  readonly #file: string;
  #features = new Map<string, Feature>();
  #segments = new Map<number, Segment>();
  #watcher: FSWatcher | undefined;
  #debounce: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #seen: string | undefined;
  #loading: Promise<void> = Promise.resolve();

  constructor(file: string) {
    super();
    this.#file = file;
  }

  async start(): Promise<void> {
    // The folder and not the file: editors, the control plane and Kubernetes replace a file by renaming another one to it.
    this.#watcher = watch(dirname(this.#file), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(this.#file) && name !== '..data') return;
      clearTimeout(this.#debounce);
      this.#debounce = setTimeout(() => this.#reload(), DEBOUNCE_MS).unref();
    });
    this.#watcher.on('error', (error) => this.emit(UnleashEvents.Warn, flagsInvalid(this.#file, error)));
    this.#poll = setInterval(() => this.#reload(), POLL_MS).unref();
    await this.#load();
    this.emit(UnleashEvents.Ready);
  }

  stop(): void {
    this.#watcher?.close();
    clearTimeout(this.#debounce);
    clearInterval(this.#poll);
    this.removeAllListeners();
  }

  getToggle(name: string): Feature | undefined {
    return this.#features.get(name);
  }
  getToggles(): Feature[] {
    return [...this.#features.values()];
  }
  getSegment(id: number): Segment | undefined {
    return this.#segments.get(id);
  }
  getTogglesWithSegmentData(): ReturnType<Repository['getTogglesWithSegmentData']> {
    return this.getToggles().map((feature) => ({
      ...feature,
      strategies: feature.strategies?.map((strategy) => ({
        ...strategy,
        segments: strategy.segments?.map((id) => this.getSegment(id)),
      })),
    }));
  }

  /** One load at a time: two that overlap could put the older version into force. */
  #reload(): void {
    this.#loading = this.#loading.then(() => this.#load());
  }

  async #load(): Promise<void> {
    try {
      const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        return error;
      });
      // An error that stays is told once, as a bad version is.
      const version = text === null ? 'missing' : String(text);
      if (version === this.#seen) return;
      this.#seen = version;
      if (text instanceof Error) throw text;
      if (text === null) {
        this.emit(UnleashEvents.Warn, new Error(`flags "${this.#file}" are not there: every flag is off`));
        this.#take({ version: 2, features: [] });
      } else this.#take(parse(text));
    } catch (error) {
      this.emit(UnleashEvents.Warn, flagsInvalid(this.#file, error));
      return;
    }
    this.emit(UnleashEvents.Changed, this.getToggles());
  }

  #take({ features, segments = [] }: ClientFeaturesResponse): void {
    this.#features = new Map(features.map((feature) => [feature.name, feature]));
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
  }
}

function parse(text: string): ClientFeaturesResponse {
  const document = JSON.parse(text) as Partial<ClientFeaturesResponse> | null;
  if (!Array.isArray(document?.features)) throw new Error('"features" is not an array');
  for (const [index, feature] of document.features.entries()) {
    if (typeof feature?.name !== 'string') throw new Error(`features[${index}] has no name`);
    if (typeof feature.enabled !== 'boolean')
      throw new Error(`"enabled" of "${feature.name}" is not a boolean`);
    if (!Array.isArray(feature.strategies ?? []))
      throw new Error(`"strategies" of "${feature.name}" is not an array`);
  }
  if (!Array.isArray(document.segments ?? [])) throw new Error('"segments" is not an array');
  return document as ClientFeaturesResponse;
}
