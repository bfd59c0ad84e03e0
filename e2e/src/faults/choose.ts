import { seeded } from '../seeded.js';
import { LINKS, PROGRAMS, type LinkName, type ProgramName } from './stage.js';

/** One thing that goes wrong: `atMs` after the beginning of the move with that number, mended after `forMs`. */
export type Fault = { readonly move: number; readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'kill' | 'pause'; readonly program: ProgramName }
  | { readonly kind: 'cut' | 'silence'; readonly link: LinkName }
  | { readonly kind: 'kill database' | 'pause database'; readonly side: 'legacy' | 'service' }
);

/** All that is decided of a run before it begins. Only the moment at which each thing happens is the machine's. */
export type Choices = {
  readonly seed: number;
  readonly clients: number;
  /** Whether the copy is made anew first, under faults too: they belong to move 0. */
  readonly copiesFirst: boolean;
  /** How often the authority changes sides. */
  readonly moves: number;
  readonly faults: readonly Fault[];
};

/** Within this time of its beginning nearly every step of a move happens. */
const STEPS_MS = 700;

/** The same seed always chooses the same. */
export function choose(seed: number): Choices {
  const random = seeded(seed);
  const pick = (limit: number) => Math.floor(random() * limit);
  const one = <Item>(list: readonly Item[]) => list[pick(list.length)] as Item;
  const moves = 1 + pick(3);
  const copiesFirst = random() < 0.15;
  const fault = (): Fault => {
    const when = {
      move: copiesFirst && random() < 0.4 ? 0 : 1 + pick(moves),
      atMs: pick(STEPS_MS),
      // Shorter and longer than what the steps of a cutover wait for.
      forMs: random() < 0.75 ? 30 + pick(900) : 1_000 + pick(3_500),
    };
    const kind = random();
    if (kind < 0.3) return { kind: 'kill', program: one(PROGRAMS), ...when };
    if (kind < 0.45) return { kind: 'pause', program: one(PROGRAMS), ...when };
    if (kind < 0.65) return { kind: 'cut', link: one(LINKS), ...when };
    if (kind < 0.82) return { kind: 'silence', link: one(LINKS), ...when };
    return {
      kind: random() < 0.6 ? 'kill database' : 'pause database',
      side: one(['legacy', 'service']),
      ...when,
    };
  };
  return {
    seed,
    clients: 6 + pick(10),
    copiesFirst,
    moves,
    faults: Array.from({ length: 1 + pick(4) }, fault).toSorted((a, b) => a.move - b.move || a.atMs - b.atMs),
  };
}

/** How the timeline names a fault. */
export function nameOf(fault: Fault): string {
  if ('program' in fault) return `${fault.kind} ${fault.program}`;
  if ('link' in fault) return `${fault.kind} ${fault.link}`;
  return `${fault.kind} of ${fault.side}`;
}
