import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { earliest, latest, measure, type SyncTime } from './sync-time.js';

/** A clock that shows any time at the beginning of the world and then runs a little fast or slow, as far as NTP slews it. */
const aClock = fc.record({
  start: fc.integer({ min: 0, max: 10_000_000 }),
  rate: fc.double({ min: 0.9995, max: 1.0005, noNaN: true }),
});
type Clock = { readonly start: number; readonly rate: number };
const shows = ({ start, rate }: Clock, at: number) => start + rate * at;
const anInterval = fc.double({ min: 0, max: 30_000, noNaN: true });

describe("what a proxy takes sync's clock to show", () => {
  it('is right about most and least for any two clocks, however long question, wait and answer take', () => {
    fc.assert(
      fc.property(
        aClock,
        aClock,
        fc.record({ toSync: anInterval, waits: anInterval, back: anInterval, later: anInterval }),
        (ours, theirs, { toSync, waits, back, later }) => {
          const [asked, answered, arrived] = [toSync, toSync + waits, toSync + waits + back];
          const time = measure(
            {
              clock: 'a',
              askedAt: shows(theirs, asked),
              answeredAt: shows(theirs, answered),
              sequence: 1,
              migrations: {},
            },
            shows(ours, 0),
            shows(ours, arrived),
          );
          const then = arrived + later;
          expect(time).toBeDefined();
          expect(latest(time as SyncTime, shows(ours, then))).toBeGreaterThanOrEqual(
            shows(theirs, then) - 1e-6,
          );
          expect(earliest(time as SyncTime, shows(ours, then))).toBeLessThanOrEqual(
            shows(theirs, then) + 1e-6,
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is off by the way of the question at most, and not by how long sync kept it', () => {
    const answer = { clock: 'a', askedAt: 5_003, answeredAt: 15_003, sequence: 1, migrations: {} };
    const time = measure(answer, 0, 10_006) as SyncTime;
    expect(latest(time, 10_006) - 15_006).toBeLessThan(30);
  });

  it('is unknown when a machine was paused between question and answer', () => {
    const answer = { clock: 'a', askedAt: 5_000, answeredAt: 65_000, sequence: 1, migrations: {} };
    expect(measure(answer, 0, 1_000)).toBeUndefined();
  });
});
