/** Chooses one of several; at least one is given. */
export type Balance = <T extends { readonly pending: () => number }>(able: readonly T[]) => T;

/**
 * `least-pending` takes the less busy of two random ones (Mitzenmacher, "The power of two choices in randomized load
 * balancing", 2001): nearly as even as asking all, and no herd runs to one that has just come back.
 */
export function createBalance(kind: 'least-pending' | 'round-robin', random: () => number): Balance {
  let turn = 0;
  const below = (count: number) => Math.min(count - 1, Math.floor(random() * count));
  return <T extends { readonly pending: () => number }>(able: readonly T[]): T => {
    if (able.length === 1) return able[0] as T;
    if (kind === 'round-robin') return able[turn++ % able.length] as T;
    const first = below(able.length);
    const second = (first + 1 + below(able.length - 1)) % able.length;
    const [one, other] = [able[first] as T, able[second] as T];
    return other.pending() < one.pending() ? other : one;
  };
}
