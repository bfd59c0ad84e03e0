import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FenceOrder, Fences } from './fences.js';

/** A transaction against the tables behind the fences. */
export type Writer = {
  /** Rejects with what the database says when the write is refused. */
  write(table: string): Promise<void>;
  commit(): Promise<void>;
};
export type FenceRig = {
  readonly fences: Fences;
  /** Two that can be fenced, and have none yet. */
  readonly tables: readonly [string, string];
  begin(as: 'application' | 'applier'): Promise<Writer>;
  close(): Promise<void>;
};

/** `refusesAppliers` of fences that know an applier; others know accounts. `refusal` is what a refused write is told. */
export function fencesConformance(
  makeRig: () => Promise<FenceRig>,
  options: {
    readonly refusesAppliers: boolean;
    readonly refusal: (table: string, epoch: number) => string | RegExp;
  },
): void {
  const PATIENT = 20_000;
  const IMPATIENT = 300;
  const order = (epoch: number, coordinator: number, timeoutMs = PATIENT): FenceOrder => ({
    epoch,
    coordinator,
    timeoutMs,
    reason: 'a test',
  });

  describe('a fence', () => {
    let rig: FenceRig;
    let [one, two] = ['', ''];
    let both: readonly string[];
    beforeEach(async () => {
      rig = await makeRig();
      both = rig.tables;
      [one, two] = rig.tables;
    });
    afterEach(() => rig.close());

    const writes = async (table: string, as: 'application' | 'applier' = 'application') => {
      const writer = await rig.begin(as);
      try {
        await writer.write(table);
        return 'written';
      } catch (error) {
        return (error as Error).message;
      } finally {
        await writer.commit();
      }
    };
    const states = async () =>
      (await rig.fences.look(both)).map(({ state, defects }) =>
        state === null
          ? null
          : [state.closed ? 'closed' : 'open', state.epoch, state.coordinator, defects.length],
      );
    const refused = (table: string, epoch: number) => {
      const refusal = options.refusal(table, epoch);
      return typeof refusal === 'string' ? refusal : (expect.stringMatching(refusal) as unknown as string);
    };

    const refusedApplier = (table: string, epoch: number) =>
      options.refusesAppliers ? refused(table, epoch) : 'written';

    it('is put up open or closed, and once more is nothing', async () => {
      expect(await states()).toEqual([null, null]);
      expect((await rig.fences.toInstall(both, { open: true, epoch: 4 })).length).toBeGreaterThan(0);
      expect(await states()).toEqual([null, null]);
      await rig.fences.install([one], { open: true, epoch: 4 });
      await rig.fences.install(both, { open: false, epoch: 6 });
      expect(await rig.fences.toInstall(both, { open: true, epoch: 7 })).toEqual([]);
      await rig.fences.install(both, { open: true, epoch: 7 });
      expect(await states()).toEqual([
        ['open', 4, 0, 0],
        ['closed', 6, 0, 0],
      ]);
      expect(await writes(one)).toBe('written');
      expect(await writes(two)).toEqual(refused(two, 6));
    });

    it('lets the application write when it is open, and the applier when it is closed', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      expect(await writes(one)).toBe('written');
      expect(await writes(one, 'applier')).toEqual(refusedApplier(one, 0));
      expect(await rig.fences.close(both, order(1, 1))).toEqual({ kind: 'moved' });
      expect(await writes(one)).toEqual(refused(one, 1));
      expect(await writes(one, 'applier')).toBe('written');
      expect(await rig.fences.open(both, order(1, 1))).toEqual({ kind: 'moved' });
      expect(await writes(two)).toBe('written');
      expect(await writes(two, 'applier')).toEqual(refusedApplier(two, 1));
    });

    it('is moved by the same order again, as if it had not been', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      for (let time = 0; time < 2; time++)
        expect(await rig.fences.close(both, order(3, 2))).toEqual({ kind: 'moved' });
      expect(await states()).toEqual([
        ['closed', 3, 2, 0],
        ['closed', 3, 2, 0],
      ]);
      expect((await rig.fences.look(both))[0]?.state?.reason).toBe('a test');
    });

    it('waits for the transaction that has written, and lets nobody in behind it', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      const writer = await rig.begin('application');
      await writer.write(two);
      let isClosed = false;
      const closing = rig.fences.close(both, order(1, 1)).then((moved) => {
        isClosed = true;
        return moved;
      });
      expect(await rig.fences.close(both, order(1, 1, IMPATIENT))).toMatchObject({ kind: 'blocked' });
      expect(isClosed).toBe(false);
      await writer.commit();
      expect(await closing).toEqual({ kind: 'moved' });
      expect(await writes(two)).toEqual(refused(two, 1));
    });

    it('stays open when writers do not end in time, and says who they are', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      const writer = await rig.begin('application');
      await writer.write(one);
      const moved = await rig.fences.close(both, order(1, 1, IMPATIENT));
      expect(moved).toEqual({
        kind: 'blocked',
        blockers: [
          {
            id: expect.any(String),
            ageMs: expect.any(Number),
            account: expect.stringMatching(/@/),
            statement: null,
          },
        ],
      });
      expect(await states()).toEqual([
        ['open', 0, 0, 0],
        ['open', 0, 0, 0],
      ]);
      await writer.write(two);
      await writer.commit();
      expect(await rig.fences.close(both, order(1, 1))).toEqual({ kind: 'moved' });
    });

    it('that was opened under an epoch is not closed under the same: the order came late', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      await rig.fences.close(both, order(5, 7));
      expect(await rig.fences.open(both, order(5, 7))).toEqual({ kind: 'moved' });
      expect(await rig.fences.close(both, order(5, 7))).toMatchObject({ kind: 'stale', epoch: 5 });
      expect(await writes(one)).toBe('written');
      expect(await rig.fences.close(both, order(6, 7))).toEqual({ kind: 'moved' });
    });

    it('obeys no coordinator that has been replaced, and no attempt that is over', async () => {
      await rig.fences.install(both, { open: true, epoch: 0 });
      await rig.fences.close(both, order(5, 7));
      expect(await rig.fences.open(both, order(9, 6))).toEqual({ kind: 'stale', epoch: 5, coordinator: 7 });
      expect(await rig.fences.open(both, order(4, 8))).toEqual({ kind: 'stale', epoch: 5, coordinator: 7 });
      expect(await states()).toEqual([
        ['closed', 5, 7, 0],
        ['closed', 5, 7, 0],
      ]);
      expect(await rig.fences.open(both, order(5, 8))).toEqual({ kind: 'moved' });
    });

    it('moves with all of its group or not at all', async () => {
      await rig.fences.install([one], { open: true, epoch: 0 });
      expect(await rig.fences.close(both, order(1, 1))).toEqual({ kind: 'missing', tables: [two] });
      expect(await writes(one)).toBe('written');
      await rig.fences.install(both, { open: true, epoch: 0 });
      await rig.fences.close([two], order(2, 2));
      expect(await rig.fences.close(both, order(1, 1))).toMatchObject({ kind: 'stale', epoch: 2 });
      expect(await writes(one)).toBe('written');
    });

    it('is taken away without a trace', async () => {
      await rig.fences.install(both, { open: false, epoch: 0 });
      expect((await rig.fences.toRemove(both)).length).toBeGreaterThan(0);
      await rig.fences.remove(both);
      await rig.fences.remove(both);
      expect(await rig.fences.toRemove(both)).toEqual([]);
      expect(await states()).toEqual([null, null]);
      expect(await writes(one)).toBe('written');
      expect(await writes(one, 'applier')).toBe('written');
    });

    it('of no table at all is moved and seen as such', async () => {
      expect(await rig.fences.close([], order(1, 1))).toEqual({ kind: 'moved' });
      expect(await rig.fences.look([])).toEqual([]);
      expect(await rig.fences.toInstall([], { open: true, epoch: 0 })).toEqual([]);
    });
  });
}
