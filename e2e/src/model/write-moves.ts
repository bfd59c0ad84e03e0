import { routingNow } from './coordinator-moves.js';
import type { Emit } from './explore.js';
import type { Bounds, Rules } from './rules.js';
import {
  append,
  COUNTER,
  epochIn,
  FENCE,
  hasWrong,
  holdsIn,
  KNOWN,
  LEGACY,
  NONE,
  PUBLISHED,
  SERVICE,
  sideIn,
  sideOf,
  STAGE,
  USED_IDS,
  WRITE,
  type World,
} from './world.js';

const nameOf = (write: number) => `write ${'xyz'[write]}`;
const proxyName = (proxy: number) => `proxy ${'AB'[proxy]}`;

function send(world: World, write: number, known: number): void {
  const side = sideIn(known);
  world[WRITE.stage + write] = STAGE.onItsWay;
  world[WRITE.at + write] = side;
  // Nobody at legacy reads the header.
  world[WRITE.epoch + write] = side === LEGACY ? NONE : epochIn(known);
}

function end(world: World, write: number, stage: number): void {
  world[WRITE.stage + write] = stage;
  world[WRITE.at + write] = 0;
  world[WRITE.epoch + write] = 0;
}

/** Clients, proxies and the applications: everything that happens to a write until it is committed or refused. */
export function writeMoves(rules: Rules, bounds: Bounds): (world: World, emit: Emit) => void {
  function eachStatePublished(world: World, visit: (known: number) => void): void {
    for (let known = 0; known < 16; known += 1)
      if ((world[PUBLISHED + (known >> 3)]! & (1 << (known & 7))) !== 0) visit(known);
  }

  /** One after the other: which of them is first is all the same. */
  function begin(world: World, emit: Emit): void {
    let write = 0;
    while (write < bounds.writes && world[WRITE.stage + write] !== STAGE.idle) write += 1;
    if (write === bounds.writes) return;
    const name = nameOf(write);
    const sent = (known: number, who: string) => {
      const next = world.slice();
      send(next, write, known);
      emit(next, () => `${who} forwards ${name} to ${sideOf(sideIn(known))}, by epoch ${epochIn(known)}`);
    };
    if (bounds.proxies === 0)
      eachStatePublished(world, (known) => {
        if (!holdsIn(known)) sent(known, 'a proxy');
      });
    for (let proxy = 0; proxy < bounds.proxies; proxy += 1) {
      const known = world[KNOWN + proxy]!;
      if (!holdsIn(known)) sent(known, proxyName(proxy));
      else {
        const next = world.slice();
        next[WRITE.stage + write] = STAGE.atProxy;
        next[WRITE.at + write] = proxy;
        emit(next, () => `${proxyName(proxy)} holds ${name}`);
      }
    }
    if (!bounds.direct) return;
    for (const side of [LEGACY, SERVICE]) {
      const next = world.slice();
      next[WRITE.stage + write] = STAGE.onItsWay;
      next[WRITE.at + write] = side;
      next[WRITE.epoch + write] = NONE;
      emit(next, () => `${name} comes to ${sideOf(side)} past the proxies`);
    }
  }

  /** Held: released by what the proxy knows now, or given up by its client, or lost with its proxy. */
  function beHeld(world: World, write: number, emit: Emit): void {
    const proxy = world[WRITE.at + write]!;
    const gone = world.slice();
    end(gone, write, STAGE.over);
    emit(
      gone,
      () => `${proxyName(proxy)} is started again, or ${nameOf(write)} has waited too long: never forwarded`,
    );
    const known = world[KNOWN + proxy]!;
    if (holdsIn(known)) return;
    const next = world.slice();
    send(next, write, known);
    emit(next, () => `${proxyName(proxy)} releases ${nameOf(write)} to ${sideOf(sideIn(known))}`);
  }

  /** The first statement of its transaction: it meets guard and fence. */
  function arrive(world: World, write: number, emit: Emit): void {
    const [side, epoch] = [world[WRITE.at + write]!, world[WRITE.epoch + write]!];
    const isStale =
      rules.guard && side === SERVICE && epoch !== NONE && epoch < world[FENCE.epoch + SERVICE]!;
    const isFenced = rules.fenced[sideOf(side)] && world[FENCE.closed + side] === 1;
    const next = world.slice();
    if (isStale || isFenced) {
      end(next, write, STAGE.over);
      const by = isStale ? 'guard' : 'fence';
      return emit(next, () => `${nameOf(write)} is refused by the ${by} of ${sideOf(side)}`);
    }
    const id = world[COUNTER + side]!;
    if ((world[USED_IDS]! & (1 << id)) !== 0) hasWrong(next, 'NoReusedId');
    next[USED_IDS]! |= 1 << id;
    next[COUNTER + side] = id + 1;
    next[WRITE.id + write] = id;
    next[WRITE.stage + write] = STAGE.open;
    next[WRITE.epoch + write] = 0;
    emit(next, () => `${nameOf(write)} is written at ${sideOf(side)} with id ${id}, not committed yet`);
  }

  function finish(world: World, write: number, emit: Emit): void {
    const side = world[WRITE.at + write]!;
    const undone = world.slice();
    end(undone, write, STAGE.over);
    undone[WRITE.id + write] = 0;
    emit(undone, () => `${nameOf(write)} is rolled back at ${sideOf(side)}`);
    for (const stage of [STAGE.acknowledged, STAGE.over]) {
      const next = world.slice();
      append(next, side, write + 1);
      end(next, write, stage);
      const heard = stage === STAGE.acknowledged ? 'its client is told' : 'its answer is lost';
      emit(next, () => `${nameOf(write)} is committed at ${sideOf(side)}, and ${heard}`);
    }
  }

  /** A bug: what has no answer yet is sent once more. */
  function sendAgain(world: World, write: number, emit: Emit): void {
    const stage = world[WRITE.stage + write];
    const known = routingNow(rules, world);
    if ((stage !== STAGE.onItsWay && stage !== STAGE.open) || holdsIn(known)) return;
    const next = world.slice();
    next[WRITE.copy + write] = sideIn(known) + 1;
    emit(
      next,
      () => `a proxy has waited for ${nameOf(write)} and sends it again to ${sideOf(sideIn(known))}`,
    );
  }

  function arriveAgain(world: World, write: number, emit: Emit): void {
    const side = world[WRITE.copy + write]! - 1;
    const next = world.slice();
    next[WRITE.copy + write] = 0;
    if (world[FENCE.closed + side] === 0) append(next, side, write + 1);
    emit(next, () => `the second ${nameOf(write)} comes to ${sideOf(side)}`);
  }

  /** A proxy hears the newest state, or goes on with what it has for as long as it is cut off. */
  function hear(world: World, emit: Emit): void {
    const newest = routingNow(rules, world);
    for (let proxy = 0; proxy < bounds.proxies; proxy += 1) {
      if (world[KNOWN + proxy] === newest) continue;
      const next = world.slice();
      next[KNOWN + proxy] = newest;
      const what = `${sideOf(sideIn(newest))}, ${holdsIn(newest) ? 'hold' : 'no hold'}, epoch ${epochIn(newest)}`;
      emit(next, () => `${proxyName(proxy)} hears: ${what}`);
    }
  }

  return (world, emit) => {
    hear(world, emit);
    begin(world, emit);
    for (let write = 0; write < bounds.writes; write += 1) {
      const stage = world[WRITE.stage + write];
      if (stage === STAGE.atProxy) beHeld(world, write, emit);
      if (stage === STAGE.onItsWay) arrive(world, write, emit);
      if (stage === STAGE.open) finish(world, write, emit);
      if (world[WRITE.copy + write] !== 0) arriveAgain(world, write, emit);
      else if (!rules.forwardedOnce) sendAgain(world, write, emit);
    }
  };
}
