import { hasOpenTransaction, isOpen } from './change-fence.js';
import type { Emit } from './explore.js';
import type { Bounds, Rules } from './rules.js';
import {
  append,
  CARRIED,
  COUNTER,
  hasWrong,
  isCarried,
  LEGACY,
  LENGTH,
  LOG,
  NONE,
  other,
  SERVICE,
  sideOf,
  STREAM,
  VOID,
  WRITE,
  writeIn,
  type SideNumber,
  type World,
} from './world.js';

/**
 * Both appliers. Either may try at any time, whatever the phase: one that should rest is a zombie, and one that is killed between two transactions is one that does not try.
 * A transaction of theirs is one step: rows and offset are committed together, and it holds its lock of the fence row from its first row on.
 */
export function streamMoves(rules: Rules, bounds: Bounds): (world: World, emit: Emit) => void {
  function apply(world: World, from: SideNumber, at: number, who: string, emit: Emit): void {
    const [to, entry] = [other(from), world[LOG[from] + at]!];
    const next = world.slice();
    next[STREAM.offset + from] = at + 1;
    const hand = world[STREAM.hand + from]!;
    next[STREAM.hand + from] = who !== '' || hand === NONE ? NONE : hand | VOID;
    const name = `${who}the applier from ${sideOf(from)}`;
    if (isCarried(entry) && rules.echoesLeftOut) return emit(next, () => `${name} leaves out an echo`);
    const meetsApplication = rules.fenced[sideOf(to)]
      ? isOpen(world, to)
      : hasOpenTransaction(world, to, bounds);
    if (rules.fenced[sideOf(to)] && isOpen(world, to) && rules.openFenceRefusesAppliers) return;
    if (meetsApplication) hasWrong(next, 'SingleAuthority');
    if (isCarried(entry)) hasWrong(next, 'NoEcho');
    append(next, to, entry | CARRIED);
    next[COUNTER + to] = Math.max(world[COUNTER + to]!, world[WRITE.id + writeIn(entry)]! + 1);
    emit(next, () => `${name} carries write ${'xyz'[writeIn(entry)]} to ${sideOf(to)}`);
  }

  return (world, emit) => {
    for (const from of [LEGACY, SERVICE]) {
      const [offset, hand] = [world[STREAM.offset + from]!, world[STREAM.hand + from]!];
      const hasMore = offset !== NONE && offset < world[LENGTH + from]!;
      if (hasMore) apply(world, from, offset, '', emit);
      if (hasMore && hand === NONE && bounds.zombieApplier) {
        const next = world.slice();
        next[STREAM.hand + from] = offset;
        emit(next, () => `a second applier from ${sideOf(from)} reads an entry, and hangs`);
      }
      if (hand === NONE) continue;
      if (!rules.offsetCompared || (hand & VOID) === 0)
        apply(world, from, hand & ~VOID, 'the second of ', emit);
      else {
        const next = world.slice();
        next[STREAM.hand + from] = NONE;
        emit(
          next,
          () =>
            `the second applier from ${sideOf(from)} finds the row of the offset changed, and undoes its transaction`,
        );
      }
    }
  };
}
