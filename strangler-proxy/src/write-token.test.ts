import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SECRET } from './proxy.fixture.js';
import { measure, type SyncTime } from './sync-time.js';
import {
  laterOf,
  parseWrite,
  printWrite,
  stateOf,
  type Write,
  writeAt,
  writeUnknown,
} from './write-token.js';

const CEILING = 10_000;
/** Sync's clock is 1,000,000 ahead, exactly. */
const time: SyncTime = { clock: 'a', most: 1e6, sentAt: 0, least: 1e6, arrivedAt: 0 };
const known = (now: number, appliedUntil: number | null, at: SyncTime | undefined = time) => ({
  now,
  ceilingMs: CEILING,
  time: at,
  appliedUntil,
});

describe('a write', () => {
  it('has passed when the watermark is behind it, and not when it is at it', () => {
    const write: Write = { clock: 'a', at: 1_000_050, seenAt: 50 };
    expect(stateOf(write, known(60, 1_000_050))).toBe('waiting');
    expect(stateOf(write, known(60, 1_000_051))).toBe('passed');
    expect(stateOf(write, known(60, null))).toBe('waiting');
  });

  it('waits while nobody can say: no contact, another clock, a write of unknown time', () => {
    const write = writeAt(time, 50);
    expect(stateOf(write, { ...known(60, 2e6), time: undefined })).toBe('waiting');
    expect(stateOf(write, known(60, 2e6, { ...time, clock: 'b' }))).toBe('waiting');
    expect(stateOf(writeUnknown(50), known(60, 2e6))).toBe('waiting');
    expect(stateOf(writeAt(undefined, 50), known(60, 2e6))).toBe('waiting');
  });

  it('is over when the ceiling has passed for certain', () => {
    const write = writeAt(time, 50);
    expect(stateOf(write, known(50 + CEILING, null))).toBe('waiting');
    expect(stateOf(write, known(100 + CEILING, null))).toBe('over');
    // Without the clock it is the age of the cookie that ends it; the token itself ends a minute later.
    expect(stateOf(writeUnknown(50), known(50 + CEILING + 60_000, null))).toBe('waiting');
    expect(stateOf(writeUnknown(50), known(51 + CEILING + 60_000, null))).toBe('over');
  });

  it('is carried as a token that holds only under the secret', () => {
    const write = { clock: 'a-b_c', at: 1_234_567_890_123, seenAt: 42 };
    const token = printWrite(SECRET, write);
    expect(parseWrite(SECRET, token)).toEqual(write);
    expect(parseWrite(SECRET, printWrite(SECRET, writeUnknown(1)))).toEqual(writeUnknown(1));
    for (const spoilt of [
      token.replace('a-b_c', 'other'),
      token.slice(0, -1),
      `${token}.x`,
      token.replace(/\.[^.]*\./, '.0.'),
      '',
      '...',
      printWrite('another secret of that length', write),
    ])
      expect(parseWrite(SECRET, spoilt)).toBeUndefined();
  });

  it('never lets an older one take the place of a newer one', () => {
    const [older, newer] = [
      { clock: 'a', at: 5, seenAt: 9 },
      { clock: 'a', at: 7, seenAt: 8 },
    ];
    expect(laterOf(older, newer)).toEqual({ clock: 'a', at: 7, seenAt: 9 });
    expect(laterOf(newer, older)).toEqual({ clock: 'a', at: 7, seenAt: 9 });
    expect(laterOf(undefined, older)).toEqual(older);
    expect(laterOf({ clock: 'b', at: 99, seenAt: 1 }, older)).toEqual(writeUnknown(9));
    expect(laterOf(writeUnknown(1), older)).toEqual(writeUnknown(9));
  });
});

describe('replicas with clocks of their own', () => {
  /** Hours apart, each running a little fast or slow. */
  const aClock = fc
    .record({
      start: fc.integer({ min: 0, max: 30_000_000 }),
      rate: fc.double({ min: 0.9995, max: 1.0005, noNaN: true }),
    })
    .map(
      ({ start, rate }) =>
        (at: number) =>
          start + rate * at,
    );
  const aWay = fc.record({
    before: fc.integer({ min: 0, max: 5_000 }),
    toSync: fc.integer({ min: 0, max: 300 }),
    waits: fc.integer({ min: 0, max: 9_000 }),
    back: fc.integer({ min: 0, max: 300 }),
  });

  it('never believe a write to be in the copy that was committed after the heartbeat the copy has reached', () => {
    const seen = { passed: 0, waiting: 0 };
    fc.assert(
      fc.property(
        fc.record({
          sync: aClock,
          writer: aClock,
          reader: aClock,
          writersPoll: aWay,
          readersPoll: aWay,
          // Commit, then the head of the answer, then the read; a heartbeat anywhere in between.
          commit: fc.integer({ min: 20_000, max: 40_000 }),
          answers: fc.integer({ min: 0, max: 500 }),
          reads: fc.integer({ min: 0, max: 3_000 }),
          heartbeat: fc.integer({ min: -2_000, max: 3_000 }),
        }),
        ({ sync, writer, reader, writersPoll, readersPoll, commit, answers, reads, heartbeat }) => {
          const timeOf = (clock: typeof sync, { before, toSync, waits, back }: typeof writersPoll) => {
            const [sent, asked] = [before, before + toSync];
            const answer = { clock: 'a', askedAt: sync(asked), answeredAt: sync(asked + waits) };
            return measure(
              { ...answer, sequence: 1, migrations: {} },
              clock(sent),
              clock(asked + waits + back),
            );
          };
          const head = commit + answers;
          const written = writeAt(timeOf(writer, writersPoll), writer(head));
          const token = parseWrite(SECRET, printWrite(SECRET, written)) as Write;
          const beat = commit + heartbeat;
          const state = stateOf(token, {
            now: reader(head + reads),
            // Replicas whose times of day are further apart than a minute, as here, still agree.
            ceilingMs: 1e9,
            time: timeOf(reader, readersPoll),
            appliedUntil: Math.floor(sync(beat)),
          });
          expect(state !== 'passed' || beat > commit).toBe(true);
          seen[state === 'passed' ? 'passed' : 'waiting']++;
        },
      ),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.passed, seen.waiting)).toBeGreaterThan(300);
  });
});
