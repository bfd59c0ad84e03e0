import { explore, type Explored, type Violation } from './explore.js';
import { protocolModel } from './protocol-model.js';
import { PROTOCOL, type Bounds } from './rules.js';
import { FEW, type SeededRule } from './seeded-bugs.js';

/** The protocol as it is, within the bounds. */
export const exploreProtocol = (bounds: Bounds): Explored => explore(protocolModel(PROTOCOL, bounds));

/** The protocol with a bug in it. */
export const exploreBug = (bug: SeededRule): Explored =>
  explore(protocolModel({ ...PROTOCOL, ...bug.rules }, { ...FEW, ...bug.bounds }));

/** The bounds in words. */
export function sentenceOf(bounds: Bounds): string {
  const many = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
  return [
    many(bounds.writes, 'write'),
    bounds.proxies === 0 ? 'any number of proxies' : `${bounds.proxies} proxies`,
    many(bounds.attempts, 'attempt'),
    many(bounds.leases, 'lease'),
    ...(bounds.direct ? ['a writer past the proxies'] : []),
    ...(bounds.lostAnswers ? ['answers lost'] : []),
    ...(bounds.zombieApplier ? ['a second applier'] : []),
  ].join(', ');
}

/** A counterexample as a numbered list. */
export const linesOf = ({ invariant, trace }: Violation): readonly string[] => [
  `  ${invariant} does not hold:`,
  ...trace.map((sentence, index) => `  ${String(index + 1).padStart(3)}. ${sentence}`),
];
