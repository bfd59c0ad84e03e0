import type { Stream, TailCompared } from '@strangler/contracts';
import type { SyncHandover } from './sync-handover.js';

/** A sync in memory, for tests. */
export function fakeSyncHandover() {
  const state = {
    /** What was asked of it, in order. */
    asked: [] as string[],
    tail: {
      tables: [{ table: 'orders', compared: 10, different: 0, samples: [] }],
      parked: 0,
    } as TailCompared,
    behind: null as string | null,
    problems: [] as string[],
    handedOver: new Map<string, { readonly to: Stream; readonly epoch: number }>(),
  };
  const sync: SyncHandover = {
    async reach(migration, { stream }) {
      state.asked.push(`reach ${migration} ${stream}`);
      if (state.behind !== null) throw new Error(state.behind);
    },
    async tail(migration, { stream }) {
      state.asked.push(`tail ${migration} ${stream}`);
      return state.tail;
    },
    async handOver(migration, wish) {
      state.asked.push(`handover ${migration} ${wish.to} ${wish.epoch}`);
      state.handedOver.set(migration, wish);
      return { offset: 'log.1:4' };
    },
    async selfTest() {
      return { ok: state.problems.length === 0, problems: state.problems };
    },
  };
  return { state, sync };
}
