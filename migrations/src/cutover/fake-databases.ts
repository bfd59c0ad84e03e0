import { otherSide, type Side } from '@strangler/contracts';
import type { CutoverDatabases, FenceOrder } from './databases.js';
import { done, failed } from './steps.js';

/** Two databases in memory, for tests: fences that know whom to refuse. */
export function fakeDatabases() {
  const fences: Record<Side, { closed: boolean } & FenceOrder> = {
    legacy: { closed: false, epoch: 0, coordinator: 0 },
    service: { closed: true, epoch: 0, coordinator: 0 },
  };
  const state = {
    fences,
    /** Whether both were ever open at the same time. */
    wereBothOpen: false,
    blockers: [] as string[],
    transactions: [] as string[],
    idsRunOut: [] as string[],
    missing: null as Side | null,
    /** How often somebody looked. */
    looks: 0,
  };
  const move = (side: Side, closed: boolean, { epoch, coordinator }: FenceOrder) => {
    const fence = fences[side];
    if (epoch < fence.epoch || (epoch === fence.epoch && coordinator < fence.coordinator))
      return failed(`the fence of the ${side} was moved by a newer coordinator`);
    Object.assign(fence, { closed, epoch, coordinator });
    state.wereBothOpen ||= !fences.legacy.closed && !fences.service.closed;
    return done(`${closed ? 'closed' : 'opened'} the fence of the ${side}`);
  };
  const databases: CutoverDatabases = {
    async look() {
      state.looks++;
      return (['legacy', 'service'] as const).map((side) =>
        state.missing === side
          ? { side, problem: 'it has no fence', closed: null, epoch: 0 }
          : { side, problem: null, closed: fences[side].closed, epoch: fences[side].epoch },
      );
    },
    close: async (side, order) =>
      state.blockers.length > 0 ? failed(state.blockers.join('; ')) : move(side, true, order),
    open: async (side, order) => move(side, false, order),
    remove: async () => done('removed the fences'),
    oldTransactions: async () => state.transactions,
    idsRunOut: async () => state.idsRunOut,
    prepareIds: async (side) => done(`set the ids of the ${side} ahead of those of the ${otherSide(side)}`),
    checkIds: async () => done('ids are handed over'),
  };
  return { state, databases };
}
