import { isOver } from '@strangler/contracts';
import { accepts, isOpen } from './change-fence.js';
import { coordinatorMoves, routingNow } from './coordinator-moves.js';
import type { Model } from './explore.js';
import type { Bounds, Rules } from './rules.js';
import { streamMoves } from './stream-moves.js';
import {
  beginning,
  holdsIn,
  JOURNAL,
  KNOWN,
  LEGACY,
  LENGTH,
  LOG,
  other,
  PHASE,
  SERVICE,
  sideIn,
  sideOf,
  STAGE,
  stateOf,
  STREAM,
  WRITE,
  WRONG,
  WRONGS,
  writeIn,
  type SideNumber,
  type World,
} from './world.js';
import { writeMoves } from './write-moves.js';

/** No attempt is on its way, and the stream that runs has nothing left. */
function isSettled(world: World): boolean {
  const state = stateOf(world[JOURNAL.state]!);
  const side = world[PHASE]!;
  return (state === null || isOver(state)) && world[STREAM.offset + side] === world[LENGTH + side];
}

/** The same writes in the same order. */
function areEqual(world: World): boolean {
  const length = world[LENGTH + LEGACY]!;
  if (length !== world[LENGTH + SERVICE]) return false;
  for (let at = 0; at < length; at += 1)
    if (writeIn(world[LOG[LEGACY] + at]!) !== writeIn(world[LOG[SERVICE] + at]!)) return false;
  return true;
}

function isIn(world: World, side: SideNumber, write: number): boolean {
  for (let at = 0; at < world[LENGTH + side]!; at += 1)
    if (writeIn(world[LOG[side] + at]!) === write) return true;
  return false;
}

/** The cutover as the rules have it, with everything that can happen to it within the bounds. */
export function protocolModel(rules: Rules, bounds: Bounds): Model {
  const moves = [coordinatorMoves(rules, bounds), writeMoves(rules, bounds), streamMoves(rules, bounds)];
  const lost = (world: World) => {
    for (let write = 0; write < bounds.writes; write += 1)
      if (world[WRITE.stage + write] === STAGE.acknowledged)
        for (const side of [LEGACY, SERVICE]) if (!isIn(world, side, write)) return true;
    return false;
  };
  return {
    initial: beginning(),
    eachNext: (world, emit) => {
      for (const move of moves) move(world, emit);
    },
    brokenIn: (world) => {
      const wrong = world[WRONG]!;
      if (wrong !== 0) return WRONGS.find((_, bit) => (wrong & (1 << bit)) !== 0) ?? null;
      if (accepts(rules, bounds, world, LEGACY) && accepts(rules, bounds, world, SERVICE))
        return 'SingleAuthority';
      const known = routingNow(rules, world);
      const isRefused = rules.fenced[sideOf(sideIn(known))] && !isOpen(world, sideIn(known));
      if (!holdsIn(known) && isRefused) return 'ReleasedIsServed';
      if (!isSettled(world)) return null;
      if (lost(world)) return 'NoLostWrite';
      return areEqual(world) ? null : 'SameOnBothSides';
    },
    isGoal: (world) => {
      if (!isSettled(world) || !areEqual(world)) return false;
      const side = world[PHASE]!;
      if (!isOpen(world, side) || isOpen(world, other(side))) return false;
      for (let write = 0; write < bounds.writes; write += 1) {
        const stage = world[WRITE.stage + write]!;
        if (stage === STAGE.atProxy || stage === STAGE.onItsWay || stage === STAGE.open) return false;
      }
      const known = routingNow(rules, world);
      for (let proxy = 0; proxy < bounds.proxies; proxy += 1)
        if (world[KNOWN + proxy] !== known) return false;
      return !holdsIn(known);
    },
  };
}
