import { seeded } from '../seeded.js';
import { chooseWrite, type Write } from './choose-write.js';

export const FAULTS = [
  'kill sync',
  'kill sync for a while',
  'pause sync',
  'cut source',
  'cut target',
  'pause source',
  'pause target',
  'end source',
  'end target',
  'kill source',
  'kill target',
  'turn clock',
] as const;
/** Those that need Kafka. */
export const KAFKA_FAULTS = ['kill broker', 'kill worker', 'pause connector'] as const;
export type FaultKind = (typeof FAULTS | typeof KAFKA_FAULTS)[number];

/** `atMs` counts from the start of the writers; `forMs` is how long a pause lasts; `byMs` how far the clock of sync is turned. */
export type Fault = {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  readonly byMs: number;
  /** What comes after it waits until sync works again. */
  readonly isLater: boolean;
};

/** All that is decided of a run before it begins. Only the moment at which each thing happens is the machine's. */
export type Choices = {
  readonly seed: number;
  /** Rows that are there before sync is started. */
  readonly accounts: number;
  readonly chunkRows: number;
  readonly writingMs: number;
  readonly writers: readonly (readonly Write[])[];
  readonly faults: readonly Fault[];
  /** Whether there is writing from before sync's start on, or from when it has copied everything for the first time. */
  readonly begin: 'started' | 'copied';
};

const WRITES_A_WRITER = 600;
const DAY_MS = 86_400_000;
/** A start of sync or of a server takes about half a second of a core: with more of them a run is nothing but starts. */
const MAX_FAULTS = 4;

/** The same seed always chooses the same. */
export function choose(seed: number, source: 'binlog' | 'kafka' = 'binlog'): Choices {
  // Twice: they are what is searched then.
  const kinds = source === 'kafka' ? [...FAULTS, ...KAFKA_FAULTS, ...KAFKA_FAULTS] : FAULTS;
  const random = seeded(seed);
  const pick = (limit: number) => Math.floor(random() * limit);
  const writingMs = 1_000 + pick(800);
  const accounts = 40 + pick(160);
  return {
    seed,
    accounts,
    chunkRows: 20 + pick(100),
    writingMs,
    begin: random() < 0.4 ? 'started' : 'copied',
    faults: Array.from({ length: 2 + pick(MAX_FAULTS - 1) }, () => ({
      kind: kinds[pick(kinds.length)] as FaultKind,
      atMs: pick(writingMs),
      forMs: 50 + pick(500),
      byMs: pick(2 * DAY_MS) - DAY_MS,
      isLater: random() < 0.5,
    })).toSorted((a, b) => a.atMs - b.atMs),
    writers: [1, 2, 3].map((number) => {
      const own = seeded(seed * 31 + number);
      return Array.from({ length: WRITES_A_WRITER }, (_, serial) =>
        chooseWrite({ random: own, accounts, writer: number, serial }),
      );
    }),
  };
}
