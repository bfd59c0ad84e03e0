import { NumberList, VisitedStates } from './visited-states.js';

/** `next` is the caller's; `say` is asked only for a counterexample. */
export type Emit = (next: Uint8Array, say: () => string) => void;

/** A state is bytes, always as many; equal bytes are the same state. */
export type Model = {
  readonly initial: Uint8Array;
  readonly eachNext: (state: Uint8Array, emit: Emit) => void;
  /** The invariant that does not hold here; nothing is looked for beyond such a state. */
  readonly brokenIn: (state: Uint8Array) => string | null;
  /** Where a fair schedule ends. */
  readonly isGoal: (state: Uint8Array) => boolean;
};

export type Violation = { readonly invariant: string; readonly trace: readonly string[] };
export type Explored = {
  readonly states: number;
  readonly transitions: number;
  /** Of the longest of the shortest ways to a state. */
  readonly depth: number;
  readonly goals: number;
  /** The first, by one of the shortest traces; null: none in any state. */
  readonly violation: Violation | null;
  /** Whether every state was looked at: a violation, or `mostStates`, ends the search. */
  readonly isComplete: boolean;
};

export const CONVERGENCE = 'Convergence';

/** Every state that can be reached, breadth first; then whether a goal can be reached from each of them. */
export function explore(model: Model, mostStates = Infinity): Explored {
  const seen = new VisitedStates(model.initial.length);
  const [parents, edges, firstEdges] = [new NumberList(), new NumberList(), new NumberList()];
  let [depth, endOfLevel, goals] = [0, 1, 0];
  let violation: Violation | null = null;
  seen.add(model.initial);
  parents.push(0);

  const traceTo = (last: number): string[] => {
    const path = [last];
    while (path[0] !== 0) path.unshift(parents.at(path[0]!));
    return path.slice(1).map((child, index) => sentenceOf(model, seen, path[index]!, child));
  };
  const wholeAnswer = () => ({ states: seen.count, transitions: edges.length, depth, goals, violation });

  const isGoal: boolean[] = [];
  for (let index = 0; index < seen.count; index += 1) {
    if (index === endOfLevel) [depth, endOfLevel] = [depth + 1, seen.count];
    if (seen.count > mostStates) return { ...wholeAnswer(), isComplete: false };
    const state = seen.at(index);
    isGoal.push(model.isGoal(state));
    if (isGoal[index]) goals += 1;
    firstEdges.push(edges.length);
    model.eachNext(state, (next) => {
      if (violation !== null) return;
      const before = seen.count;
      const child = seen.add(next);
      edges.push(child);
      if (child !== before) return;
      parents.push(index);
      const invariant = model.brokenIn(next);
      if (invariant !== null) violation = { invariant, trace: traceTo(child) };
    });
    if (violation !== null) return { ...wholeAnswer(), isComplete: false };
  }
  const lost = firstThatCannotReach(isGoal, firstEdges, edges);
  if (lost !== null)
    violation = {
      invariant: CONVERGENCE,
      trace: [...traceTo(lost), 'from here no schedule leads to both sides equal and writes served'],
    };
  return { ...wholeAnswer(), isComplete: true };
}

/** Sweeps from the last state to the first: most edges lead on, so few sweeps suffice. */
function firstThatCannotReach(isGoal: readonly boolean[], firstEdges: NumberList, edges: NumberList) {
  const reaches = Uint8Array.from(isGoal, Number);
  for (let changed = true; changed;) {
    changed = false;
    for (let index = reaches.length - 1; index >= 0; index -= 1) {
      if (reaches[index] === 1) continue;
      const end = index + 1 < reaches.length ? firstEdges.at(index + 1) : edges.length;
      for (let edge = firstEdges.at(index); edge < end; edge += 1)
        if (reaches[edges.at(edge)] === 1) {
          reaches[index] = 1;
          changed = true;
          break;
        }
    }
  }
  const lost = reaches.indexOf(0);
  return lost === -1 ? null : lost;
}

function sentenceOf(model: Model, seen: VisitedStates, parent: number, child: number): string {
  const wanted = seen.at(child);
  let sentence: string | undefined;
  model.eachNext(seen.at(parent), (next, say) => {
    if (sentence === undefined && next.every((byte, at) => byte === wanted[at])) sentence = say();
  });
  return sentence ?? 'a step that cannot be told';
}
