import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { createAppliedUntil } from './applied-until.js';
import { controlSchemaOf } from './connect.js';
import { type FlowClock, flowClock } from './flow-clock.js';
import type { MigrationSync, MigrationSyncOptions } from './migration-sync.js';
import type { StopPointName } from './stop-points.js';
import { until } from './testing/databases.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
const running: MigrationSync[] = [];
const ever = new AbortController().signal;

beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
  await shop.drop();
});

/** A sync whose watermark can be read, and which can be held at a stop point as often as it comes by. */
function start(options: Partial<MigrationSyncOptions> = {}, clock: FlowClock = flowClock()) {
  const applied = createAppliedUntil(clock, ['catalog']);
  let held: { readonly at: StopPointName; arrive: () => void; readonly released: Promise<void> } | undefined;
  const sync = shop.sync({
    flowClock: clock,
    onAppliedUntil: (moved) => applied.move('catalog', moved),
    stopPoints: async (name) => {
      if (held?.at !== name) return;
      const { arrive, released } = held;
      arrive();
      await released;
    },
    ...options,
  });
  running.push(sync);
  void sync.wish('run');
  const watermark = async () => (await applied.answer(0, ever)).migrations['catalog']?.appliedUntil ?? null;
  return {
    sync,
    clock,
    watermark,
    settled: () => settled(shop, () => sync.evidence(Date.now())),
    passed: (time: number) =>
      until(async () => ((await watermark()) ?? 0) > time, 'the watermark has passed'),
    /** Resolves with a function that lets the flow go on when the flow has come to the stop point. */
    hold: async (at: StopPointName): Promise<() => void> => {
      let release: () => void = () => {};
      const released = new Promise<void>((done) => (release = done));
      await new Promise<void>((arrive) => (held = { at, arrive, released }));
      held = undefined;
      return release;
    },
  };
}
const heartbeats = async () =>
  Number(
    (
      await shop.from.root.query<RowDataPacket[]>(
        `SELECT seq FROM ${controlSchemaOf(shop.from)}.watermark WHERE stream = 'catalog'`,
      )
    )[0][0]?.['seq'],
  );
const nameOf = async (id: number) =>
  (await shop.to.root.query<RowDataPacket[]>('SELECT title FROM item WHERE id = ?', [id]))[0][0]?.['title'];

describe('the watermark', () => {
  it('does not pass a write before that is committed in the target, however long the commit is held', async () => {
    await shop.fill(5);
    const { settled: ready, hold, watermark, passed, clock } = start();
    await ready();
    const releaseEarlier = await hold('before-commit');
    await shop.from.root.query("UPDATE product SET name = 'mine' WHERE id = 3");
    const wroteAt = clock.now();
    const before = await heartbeats();
    await until(async () => (await heartbeats()) >= before + 3, 'three heartbeats lie behind the write');
    // What lies in the log now is applied as one: the write and the heartbeats behind it.
    const holding = hold('before-commit');
    releaseEarlier();
    const release = await holding;
    expect(await watermark()).toBeLessThan(wroteAt);
    expect(await nameOf(3)).toBe('Lämp 3');
    release();
    await passed(wroteAt);
    expect(await nameOf(3)).toBe('mine');
  });

  it('goes on although nobody writes', async () => {
    const { settled: ready, clock, passed, watermark } = start();
    await ready();
    const first = clock.now();
    await passed(first);
    const second = clock.now();
    await passed(second);
    expect(await watermark()).toBeGreaterThan(second);
  });

  it('has passed a write only when the write is there: with writers side by side and a transaction that stays open', async () => {
    await shop.fill(40);
    const { settled: ready, clock, passed, watermark } = start();
    await ready();
    const slow = await shop.writer();
    await slow.query("START TRANSACTION; UPDATE product SET name = 'slow' WHERE id = 40");
    const openedAt = clock.now();
    const missed: string[] = [];
    const rounds = [1, 2, 3, 4].map(async (writer) => {
      const connection = await shop.writer();
      for (let round = 1; round <= 6; round++) {
        await connection.query('UPDATE product SET name = ? WHERE id = ?', [`${writer}-${round}`, writer]);
        await passed(clock.now());
        if ((await nameOf(writer)) !== `${writer}-${round}`) missed.push(`${writer}-${round}`);
      }
    });
    await Promise.all(rounds);
    expect(missed).toEqual([]);
    // It is open since before all of them, and holds nothing up.
    expect(await watermark()).toBeGreaterThan(openedAt);
    await slow.query('COMMIT');
    await passed(clock.now());
    expect(await nameOf(40)).toBe('slow');
  });

  it('is unknown while rows are being copied, and again as soon as the copy is to be dropped', async () => {
    await shop.fill(60);
    let release: () => void = () => {};
    const released = new Promise<void>((done) => (release = done));
    let chunks = 0;
    const { sync, clock, watermark, passed } = start({
      stopPoints: async (name) => {
        if (name === 'chunk-read' && ++chunks === 2) await released;
      },
    });
    await until(() => sync.evidence(Date.now()).lagMs !== null, 'a heartbeat is applied');
    expect([sync.evidence(Date.now()).state, await watermark()]).toEqual(['backfilling', null]);
    release();
    await passed(clock.now());
    const dropped = sync.wish('drop');
    await dropped;
    expect(await watermark()).toBeNull();
  });

  it('takes no time from a heartbeat that an earlier process left in the log', async () => {
    await shop.fill(5);
    const fast: FlowClock = { id: 'fast', now: () => performance.timeOrigin + performance.now() + 3_600_000 };
    const first = start({}, fast);
    await first.settled();
    const release = await first.hold('before-commit');
    const before = await heartbeats();
    await until(async () => (await heartbeats()) >= before + 2, 'more heartbeats of a fast clock');
    const stopped = first.sync.stop();
    release();
    await stopped;
    const second = start();
    await second.passed(second.clock.now());
    expect(await second.watermark()).toBeLessThanOrEqual(second.clock.now());
  });
});
