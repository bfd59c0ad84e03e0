import type { Leases } from './leases.js';

export type FakeLeases = Leases & {
  /** The newest token of a unit, 0 when it was never taken. */
  tokenOf(unit: string): number;
};

/** Leases in memory, for tests; hold to the same promises as the real ones. */
export function fakeLeases(clock: () => number = Date.now): FakeLeases {
  const leases = new Map<string, { token: number; owner: string; until: number }>();
  return {
    async take(unit, owner, lastsMs) {
      const held = leases.get(unit);
      if (held && held.until > clock()) return { holder: held.owner };
      const token = (held?.token ?? 0) + 1;
      leases.set(unit, { token, owner, until: clock() + lastsMs });
      return { token };
    },
    async renew(unit, token, lastsMs) {
      const held = leases.get(unit);
      if (held?.token !== token) return false;
      held.until = clock() + lastsMs;
      return true;
    },
    async release(unit, token) {
      const held = leases.get(unit);
      if (held?.token === token) held.until = 0;
    },
    tokenOf: (unit) => leases.get(unit)?.token ?? 0,
  };
}
