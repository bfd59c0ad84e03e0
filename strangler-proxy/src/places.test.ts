import { describe, expect, it } from '@jest/globals';
import { createPlaces } from './places.js';
import { strainOf } from './strain.js';

/** Time passes when the test says so. */
function setup(most: number, queue: number) {
  const sleepers: (() => void)[] = [];
  const places = createPlaces({
    most,
    queue,
    queueMs: 1_000,
    sleep: (_, signal) =>
      new Promise((done) => {
        sleepers.push(done);
        signal.addEventListener('abort', () => done());
      }),
  });
  return { places, timeIsUp: () => sleepers.splice(0).forEach((done) => done()) };
}

describe('places', () => {
  it('are so many, then there is a line, then nothing', async () => {
    const { places } = setup(2, 1);
    expect([places.enter(), places.enter()]).toEqual([true, true]);
    const third = places.enter();
    expect(third).toBeInstanceOf(Promise);
    expect(places.enter()).toBe(false);
    places.leave();
    expect(await third).toBe(true);
    expect([places.taken(), places.waiting()]).toEqual([2, 0]);
    places.leave();
    places.leave();
    expect(places.taken()).toBe(0);
  });

  it('go to who came first, and to nobody who came later and did not wait', async () => {
    const { places } = setup(1, 2);
    expect(places.enterNow()).toBe(true);
    const order: string[] = [];
    const [second, third] = [places.enter(), places.enter()] as Promise<boolean>[];
    void second?.then(() => order.push('second'));
    void third?.then(() => order.push('third'));
    places.leave();
    expect(places.enterNow()).toBe(false);
    await second;
    places.leave();
    await third;
    expect(order).toEqual(['second', 'third']);
  });

  it('are not waited for longer than said, and who gave up gets none', async () => {
    const { places, timeIsUp } = setup(1, 1);
    expect(places.enterNow()).toBe(true);
    const second = places.enter();
    timeIsUp();
    expect(await second).toBe(false);
    places.leave();
    expect([places.taken(), places.waiting()]).toEqual([0, 0]);
  });
});

describe('the strain of the event loop', () => {
  it('is entered at the limit and left at half of it', () => {
    const seen = [10, 60, 101, 60, 51, 49, 30, 24].map(
      (
        (strain: ReturnType<typeof strainOf>) => (delay: number) =>
          (strain = strainOf(strain, delay, 100))
      )('calm'),
    );
    expect(seen).toEqual([
      'calm',
      'strained',
      'overloaded',
      'overloaded',
      'overloaded',
      'strained',
      'strained',
      'calm',
    ]);
  });
});
