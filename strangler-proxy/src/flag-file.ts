import { EventEmitter } from 'node:events';
import { type ClientFeaturesResponse, type UnleashConfig, UnleashEvents } from 'unleash-client';
import { flagsInvalid } from './errors.js';
import { type FileText, watchFile } from './watch-file.js';

type Repository = NonNullable<UnleashConfig['repository']>;
type Feature = ClientFeaturesResponse['features'][number];
type Segment = NonNullable<ClientFeaturesResponse['segments']>[number];

const DEBOUNCE_MS = 20;

/**
 * Flags from a file in the shape of Unleash's `GET /api/client/features`, read again whenever it changes. A file that is not
 * there means no flags; one that cannot be understood leaves the last good version in force. Both are told once, by `warn`.
 */
export class FlagFile extends EventEmitter implements Repository {
  readonly #file: string;
  #features = new Map<string, Feature>();
  #segments = new Map<number, Segment>();
  #watch: { stop(): void } | undefined;

  constructor(file: string) {
    super();
    this.#file = file;
  }

  async start(): Promise<void> {
    this.#watch = await watchFile(this.#file, {
      debounceMs: DEBOUNCE_MS,
      onText: (text) => this.#load(text),
      onLost: (error) => this.emit(UnleashEvents.Warn, flagsInvalid(this.#file, error)),
    });
    this.emit(UnleashEvents.Ready);
  }

  stop(): void {
    this.#watch?.stop();
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

  #load(text: FileText): void {
    try {
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
