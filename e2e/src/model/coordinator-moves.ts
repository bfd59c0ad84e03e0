import { areWritesHeld, isOver, NEXT_CUTOVER_STATES, type CutoverState } from '@strangler/contracts';
import { CLOSE, changeFence, OPEN, type FenceChange } from './change-fence.js';
import { type Effect, effectsBy, nextOf, opensOldSide, takenForDone } from './effects.js';
import type { Emit } from './explore.js';
import type { Bounds, Rules } from './rules.js';
import {
  byteOf,
  COORDINATOR,
  COORDINATOR_SIZE,
  COUNTER,
  epochIn,
  holdsIn,
  JOURNAL,
  KNOWN,
  LEADER,
  LEASE,
  LENGTH,
  NONE,
  other,
  PHASE,
  PUBLISHED,
  routing,
  sideOf,
  STAGE,
  stateOf,
  STRAGGLER,
  STREAM,
  VOID,
  WRITE,
  ZOMBIE,
  type World,
} from './world.js';

/** After `CLOSE` and `OPEN` of fences. */
const ROW = 3;
const STRAGGLER_SIZE = 5;
const nameOf = (world: World, who: number) => `coordinator ${world[who + COORDINATOR.token]}`;
const forget = (world: World, who: number) => world.fill(0, who, who + COORDINATOR_SIZE);

/** What the control plane says of the migration, by ledger and journal. */
export function routingNow(rules: Rules, world: World): number {
  const state = stateOf(world[JOURNAL.state]!);
  const isHeld = state !== null && areWritesHeld(state) && (rules.releaseAtOpen || state !== 'COMMITTED');
  return routing(world[PHASE]!, isHeld, world[JOURNAL.epoch]!);
}

/** Allowed next states; a bug lets an attempt go back when it may not. */
const nextStates = (rules: Rules, state: CutoverState): readonly CutoverState[] =>
  !rules.abortOnlyBeforeCommit && (state === 'COMMITTED' || state === 'OPEN')
    ? [...NEXT_CUTOVER_STATES[state], 'ABORTING']
    : NEXT_CUTOVER_STATES[state];

/** Everything coordinators can do, the one with the lease and one that has lost it and does not know. */
export function coordinatorMoves(rules: Rules, bounds: Bounds): (world: World, emit: Emit) => void {
  const effectsOf = effectsBy(rules);
  const restOf = (state: CutoverState | null, done: number) =>
    state === null ? [] : effectsOf(state).slice(done);

  /** One that has lost the lease can do nothing more when all that is left to it is a row that is refused. */
  const isHarmless = (world: World, who: number) =>
    rules.journalKnowsToken &&
    restOf(stateOf(world[who + COORDINATOR.state]!), world[who + COORDINATOR.done]!).length === 0;

  function takeLease(world: World, emit: Emit): void {
    if (world[LEASE]! >= bounds.leases) return;
    const next = world.slice();
    next[LEASE]! += 1;
    const found = stateOf(world[JOURNAL.state]!);
    next[LEADER + COORDINATOR.token] = next[LEASE]!;
    believeJournal(next, LEADER);
    if (!rules.takenUp && found !== null && !isOver(found)) next[LEADER + COORDINATOR.done] = NONE;
    const says = `takes the lease and finds ${found ?? 'nothing'} in the journal`;
    emit(next, () => `${nameOf(world, LEADER)} dies; ${nameOf(next, LEADER)} ${says}`);
    if (isHarmless(world, LEADER)) return;
    const paused = next.slice();
    paused.set(world.subarray(LEADER, LEADER + COORDINATOR_SIZE), ZOMBIE);
    emit(paused, () => `${nameOf(world, LEADER)} hangs and will go on; ${nameOf(next, LEADER)} ${says}`);
  }

  function mayWrite(world: World, state: CutoverState, epoch: number, token: number): boolean {
    if (rules.journalKnowsToken && token !== world[LEASE]) return false;
    if (!rules.journalKnowsState) return true;
    const found = stateOf(world[JOURNAL.state]!);
    if (state === 'PREPARING')
      return (found === null || isOver(found)) && epoch === world[JOURNAL.epoch]! + 1;
    return found !== null && epoch === world[JOURNAL.epoch] && nextStates(rules, found).includes(state);
  }

  function putRow(world: World, state: CutoverState, epoch: number, from: number): void {
    world[JOURNAL.epoch] = epoch;
    world[JOURNAL.state] = byteOf(state);
    world[JOURNAL.from] = from;
    if (state === 'COMMITTED' && rules.committedAtOnce) world[PHASE] = other(from);
    if (state === 'ABORTING') world[PHASE] = from;
    publish(world);
  }

  function believeJournal(world: World, who: number): void {
    const found = takenForDone(rules, stateOf(world[JOURNAL.state]!));
    world.set([world[JOURNAL.epoch]!, world[JOURNAL.state]!, world[JOURNAL.from]!, found, 0], who + 1);
  }

  function writeRow(world: World, who: number, state: CutoverState, emit: Emit): void {
    const [name, next] = [nameOf(world, who), world.slice()];
    const [epoch, from] = [world[who + COORDINATOR.epoch]!, world[who + COORDINATOR.from]!];
    if (!mayWrite(world, state, epoch, world[who + COORDINATOR.token]!)) {
      if (who === ZOMBIE) forget(next, who);
      else believeJournal(next, who);
      return emit(next, () => `${name} is refused ${state} of attempt ${epoch}, and looks at the journal`);
    }
    putRow(next, state, epoch, from);
    const unheard = next.slice();
    next[who + COORDINATOR.state] = byteOf(state);
    next[who + COORDINATOR.done] = 0;
    if (rules.watermarkBehindFence) next[who + COORDINATOR.mark] = 0;
    const says = `${name} writes ${state} of attempt ${epoch}`;
    emit(next, () => says);
    if (!bounds.lostAnswers || who !== LEADER || state === 'PREPARING') return;
    emit(unheard, () => `${says}, but hears no answer`);
    if (world[STRAGGLER.kind] !== 0) return;
    const sent = world.slice();
    sent.set([ROW, byteOf(state), epoch, world[who + COORDINATOR.token]!, from], STRAGGLER.kind);
    emit(sent, () => `${says}, but hears no answer: the statement is still on its way`);
  }

  function publish(world: World): void {
    if (bounds.proxies !== 0) return;
    const known = routingNow(rules, world);
    world[PUBLISHED + (known >> 3)]! |= 1 << (known & 7);
  }

  function begin(world: World, who: number, emit: Emit): void {
    if (who !== LEADER || world[JOURNAL.epoch]! >= bounds.attempts) return;
    const begun = world.slice();
    begun[who + COORDINATOR.epoch] = world[JOURNAL.epoch]! + 1;
    begun[who + COORDINATOR.from] = world[PHASE]!;
    writeRow(begun, who, 'PREPARING', emit);
  }

  /** Proxies that hold, and whose writes have ended. */
  function haveAcknowledged(world: World, epoch: number, from: number): boolean {
    for (let proxy = 0; proxy < bounds.proxies; proxy += 1) {
      const known = world[KNOWN + proxy]!;
      if (!holdsIn(known) || epochIn(known) !== epoch) return false;
    }
    if (rules.waits !== 'drained') return true;
    for (let write = 0; write < bounds.writes; write += 1) {
      const stage = world[WRITE.stage + write]!;
      if ((stage === STAGE.onItsWay || stage === STAGE.open) && world[WRITE.at + write] === from)
        return false;
    }
    return true;
  }

  function changeOf(world: World, who: number, effect: 'close' | 'open', state: CutoverState): FenceChange {
    const from = world[who + COORDINATOR.from]!;
    const isOld = effect === 'close' || opensOldSide(state);
    return {
      kind: effect === 'close' ? CLOSE : OPEN,
      side: isOld ? from : other(from),
      epoch: world[who + COORDINATOR.epoch]!,
      token: world[who + COORDINATOR.token]!,
    };
  }

  function change(world: World, who: number, wanted: FenceChange, emit: Emit): void {
    const next = world.slice();
    const outcome = changeFence(rules, bounds, next, wanted);
    const what = `${wanted.kind === CLOSE ? 'closes' : 'opens'} the fence of ${sideOf(wanted.side)} for attempt ${wanted.epoch}`;
    if (outcome === 'refused') {
      forget(next, who);
      if (who === ZOMBIE) emit(next, () => `${nameOf(world, who)} is refused: ${what}; it ends`);
    } else if (outcome === 'changed') emitDone(world, next, who, emit, () => `${nameOf(world, who)} ${what}`);
    if (!bounds.lostAnswers || who !== LEADER || world[STRAGGLER.kind] !== 0) return;
    const sent = world.slice();
    sent.set([wanted.kind, wanted.side, wanted.epoch, wanted.token, 0], STRAGGLER.kind);
    emit(sent, () => `${nameOf(world, who)} ${what}, but hears no answer: the statement is still on its way`);
  }

  function emitDone(world: World, next: World, who: number, emit: Emit, say: () => string): void {
    next[who + COORDINATOR.done]! += 1;
    if (who === ZOMBIE && isHarmless(next, who)) forget(next, who);
    emit(next, say);
  }

  function act(world: World, who: number, effect: Effect, state: CutoverState, emit: Emit): void {
    const [epoch, from] = [world[who + COORDINATOR.epoch]!, world[who + COORDINATOR.from]!];
    const to = other(from);
    if (effect === 'close' || effect === 'open') {
      if (effect === 'close' && rules.waits !== 'not' && !haveAcknowledged(world, epoch, from)) return;
      return change(world, who, changeOf(world, who, effect, state), emit);
    }
    const next = world.slice();
    const name = nameOf(world, who);
    const done = (sentence: string) => emitDone(world, next, who, emit, () => `${name} ${sentence}`);
    if (effect === 'watermark') {
      next[who + COORDINATOR.mark] = world[LENGTH + from]!;
      return done(`writes a watermark to ${sideOf(from)}`);
    }
    if (effect === 'reach') {
      const offset = world[STREAM.offset + from]!;
      if (offset === NONE || offset < world[who + COORDINATOR.mark]!) return;
      return done(`hears that everything before the watermark is applied`);
    }
    if (effect === 'ids') {
      next[COUNTER + to] = Math.max(world[COUNTER + from]!, world[COUNTER + to]!);
      return done(`sets the ids of ${sideOf(to)} behind those of ${sideOf(from)}`);
    }
    if (effect === 'phase') {
      next[PHASE] = to;
      publish(next);
      return done(`writes the phase in a transaction of its own`);
    }
    const noted = world[STREAM.epoch + to]!;
    if (rules.noteKnowsEpoch && epoch < noted) return done('is refused a note of an older attempt');
    if (!rules.notedOnce || epoch !== noted) {
      next[STREAM.offset + to] = world[LENGTH + to]!;
      next[STREAM.epoch + to] = epoch;
      if (rules.noteRaisesIncarnation && world[STREAM.hand + to] !== NONE) next[STREAM.hand + to]! |= VOID;
    }
    return done(`notes where the stream from ${sideOf(to)} begins`);
  }

  function goOn(world: World, who: number, emit: Emit): void {
    if (world[who + COORDINATOR.token] === 0 || world[who + COORDINATOR.done] === NONE) return;
    const state = stateOf(world[who + COORDINATOR.state]!);
    if (state === null || isOver(state)) return begin(world, who, emit);
    const [effect] = restOf(state, world[who + COORDINATOR.done]!);
    if (effect === undefined) writeRow(world, who, nextOf(state)!, emit);
    else act(world, who, effect, state, emit);
    const mayAbort = nextStates(rules, state).includes('ABORTING');
    if (mayAbort && (who === LEADER || !rules.journalKnowsToken)) writeRow(world, who, 'ABORTING', emit);
  }

  function arriveLate(world: World, emit: Emit): void {
    const [kind = 0, side = 0, epoch = 0, token = 0, from = 0] = world.subarray(
      STRAGGLER.kind,
      STRAGGLER.kind + STRAGGLER_SIZE,
    );
    if (kind === 0) return;
    const next = world.slice();
    const done = () => {
      if (kind !== ROW) return changeFence(rules, bounds, next, { kind, side, epoch, token });
      const state = stateOf(side)!;
      if (!mayWrite(world, state, epoch, token)) return 'refused';
      putRow(next, state, epoch, from);
      return 'changed';
    };
    const outcome = done();
    if (outcome === 'waits') return;
    next.fill(0, STRAGGLER.kind, STRAGGLER.kind + STRAGGLER_SIZE);
    emit(next, () => {
      const wish =
        kind === ROW
          ? `write ${stateOf(side)}`
          : `${kind === CLOSE ? 'close' : 'open'} the fence of ${sideOf(side)}`;
      return `the late statement of coordinator ${token} to ${wish} of attempt ${epoch} is ${outcome === 'refused' ? 'refused' : 'executed'}`;
    });
  }

  return (world, emit) => {
    takeLease(world, emit);
    goOn(world, LEADER, emit);
    goOn(world, ZOMBIE, emit);
    arriveLate(world, emit);
  };
}
