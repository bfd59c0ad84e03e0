import { afterEach, describe, expect, it } from '@jest/globals';
import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import type { StopPointName } from './stop-points.js';
import { until } from './testing/databases.js';
import { openTwoSides, rowsOf as rows, type TwoSides } from './testing/two-sides.js';

let sides: TwoSides;
/** Lets go of what stands at a stop point. */
const releases: (() => void)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) release();
  await sides.drop();
});

const PLAIN: MigrationData = {
  from: 'legacy',
  to: 'service',
  chunkRows: 20,
  tables: [
    tableMappingSchema.parse({ from: 'p', to: 'i', key: { id: 'id' }, columns: { version: 'version' } }),
  ],
};

describe('the place where a stream begins', () => {
  const tables = [
    'CREATE TABLE p (id INT PRIMARY KEY, version INT)',
    'CREATE TABLE i (id INT PRIMARY KEY, version INT)',
  ] as const;
  /** Notes every row that is written, as it is then. */
  const audited = (side: TwoSides['legacy'], table: string) =>
    side.root.query(
      `CREATE TABLE seen (id INT, version INT); CREATE TRIGGER seen_i AFTER INSERT ON ${table} FOR EACH ROW INSERT INTO seen VALUES (NEW.id, NEW.version);
       CREATE TRIGGER seen_u AFTER UPDATE ON ${table} FOR EACH ROW INSERT INTO seen VALUES (NEW.id, NEW.version)`,
    );
  const WAYS = {
    back: { other: 'there', phase: 'extracted', by: 'service', of: 'i', into: 'p', side: 'legacy' },
    there: { other: 'back', phase: 'canary', by: 'legacy', of: 'p', into: 'i', side: 'service' },
  } as const;
  const POINTS: readonly StopPointName[] = [
    'handover-taken',
    'handover-noted',
    'stream-owned',
    'before-commit',
    'after-commit',
  ];
  for (const to of ['back', 'there'] as const)
    for (const point of POINTS)
      it(`loses and repeats no row of the stream ${to} when sync ends at "${point}"`, async () => {
        const way = WAYS[to];
        sides = await openTwoSides(PLAIN, ...tables);
        await sides.legacy.root.query('INSERT INTO p VALUES (1, 0), (2, 0)');
        let isArmed = false;
        const isGone = new Promise<void>((done) => releases.push(done));
        let reached: () => void = () => {};
        const isThere = new Promise<void>((done) => (reached = done));
        const dies = async (name: StopPointName) => {
          if (!isArmed || name !== point) return;
          reached();
          await isGone;
          throw new Error('this process is gone');
        };
        const first = await sides.start(dies);
        await first.tailing('there');
        await sides.phase('canary');
        if (to === 'there') await sides.cutOver(first, 'back');
        await first.tailing(way.other);
        await audited(sides[way.side], way.into);
        let last = first;
        if (point.startsWith('handover')) {
          isArmed = true;
          void sides.cutOver(first, to).catch(() => {});
          await isThere;
          void first.stop();
          last = await sides.start();
          await last.tailing(way.other);
          await last.post('handover', { to, epoch: sides.epoch() });
          await sides.phase(way.phase);
          await sides.fence(way.by, false);
        } else {
          await sides.cutOver(first, to);
          if (point === 'stream-owned') await first.tailing(to);
        }
        const end = new AbortController();
        const writing = (async () => {
          for (let version = 1; !end.signal.aborted || version < 40; version++) {
            await sides[way.by].root.query(`INSERT INTO ${way.of} VALUES (${version + 10}, ${version})`);
            await sides[way.by].root.query(`UPDATE ${way.of} SET version = ${version} WHERE id = 1`);
          }
        })();
        if (!point.startsWith('handover')) {
          isArmed = true;
          if (point === 'stream-owned') {
            void first.stop();
            const second = await sides.start(dies);
            await isThere;
            void second.stop();
          } else {
            await isThere;
            void first.stop();
          }
          last = await sides.start();
        }
        await last.tailing(to);
        end.abort();
        await writing;
        expect((await last.post('reach', { stream: to, deadlineMs: 30_000 })).status).toBe(200);
        expect(await rows(sides.legacy, 'SELECT * FROM p ORDER BY id')).toEqual(
          await rows(sides.service, 'SELECT * FROM i ORDER BY id'),
        );
        expect(
          await rows(
            sides[way.side],
            'SELECT id, version, COUNT(*) n FROM seen GROUP BY id, version HAVING n > 1',
          ),
        ).toEqual([]);
      });

  it('is kept for an epoch, refused for an older one, and taken anew for the next', async () => {
    sides = await openTwoSides(PLAIN, ...tables);
    const sync = await sides.start();
    await sync.tailing('there');
    await sides.phase('canary');
    const first = await sync.post('handover', { to: 'back', epoch: 3 });
    await sides.service.root.query('CREATE TABLE other (id INT)');
    expect(await sync.post('handover', { to: 'back', epoch: 3 })).toEqual(first);
    expect(await sync.post('handover', { to: 'back', epoch: 2 })).toMatchObject({
      status: 409,
      body: { code: 'HANDOVER_STALE' },
    });
    const next = await sync.post('handover', { to: 'back', epoch: 4 });
    expect(next.body).not.toEqual(first.body);
    expect(await sync.post('handover', { to: 'there', epoch: 5 })).toMatchObject({
      status: 409,
      body: { code: 'HANDOVER_RUNNING' },
    });
    expect(await sync.post('reach', { stream: 'back', deadlineMs: 10 })).toMatchObject({
      status: 409,
      body: { code: 'STREAM_NOT_RUNNING' },
    });
    expect(await sync.post('tail', { stream: 'there' })).toMatchObject({
      status: 400,
      body: { code: 'BODY_INVALID', message: expect.stringContaining('rows') },
    });
    expect(await sync.post('self-test', { stream: 'back' })).toEqual({
      status: 200,
      body: { ok: true, problems: [] },
    });
    expect(await sync.post('self-test', { stream: 'there' })).toEqual({
      status: 200,
      body: { ok: true, problems: [] },
    });
  });

  it('ends a stream of an earlier time, which writes nothing any more', async () => {
    sides = await openTwoSides(PLAIN, ...tables);
    await sides.legacy.root.query('INSERT INTO p VALUES (1, 0)');
    let release: () => void = () => {};
    let hold = false;
    const held = new Promise<void>((done) => (release = done));
    let isHeld: () => void = () => {};
    const holding = new Promise<void>((done) => (isHeld = done));
    const zombie = await sides.start(async (name) => {
      // Before its transaction is begun, as if the process had stood still there.
      if (!hold || name !== 'stream-owned') return;
      isHeld();
      await held;
    });
    await zombie.tailing('there');
    await sides.phase('canary');
    hold = true;
    await sides.cutOver(zombie, 'back');
    await sides.service.root.query('UPDATE i SET version = 1');
    await holding;
    const sync = await sides.start();
    await sync.tailing('back');
    await sync.post('reach', { stream: 'back', deadlineMs: 30_000 });
    await sides.service.root.query('UPDATE i SET version = 2');
    await sync.post('reach', { stream: 'back', deadlineMs: 30_000 });
    release();
    await until(() => zombie.migration().state === 'stopped', 'stopped');
    expect(zombie.migration().problem).toMatch(/is now synced by another process/);
    expect(await rows(sides.legacy, 'SELECT * FROM p')).toEqual(['1 2']);
  });
});
