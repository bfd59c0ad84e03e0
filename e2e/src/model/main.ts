import { parseArgs } from 'node:util';
import { reasonOf } from '@strangler/contracts';
import type { Explored } from './explore.js';
import { exploreBug, exploreProtocol, linesOf, sentenceOf } from './run-model.js';
import { MANY, SECOND_LINES, SEEDED_BUGS } from './seeded-bugs.js';

const USAGE = 'usage: npm run model -- [--traces] [--json]';

/**
 * The program behind `npm run model`; answers its exit code: 0 the protocol holds and every seeded bug is found, 1 not so, 2 not asked rightly.
 * `now` in milliseconds.
 */
export function runModel(
  argv: readonly string[],
  print: (line: string) => void,
  now: () => number,
  bounds = MANY,
): number {
  let values;
  try {
    const options = {
      json: { type: 'boolean', default: false },
      traces: { type: 'boolean', default: false },
    } as const;
    ({ values } = parseArgs({ args: [...argv], options }));
  } catch (error) {
    print(`${reasonOf(error)}; ${USAGE}`);
    return 2;
  }
  const { json, traces } = values;
  const say = json ? () => undefined : print;
  let [states, violations, mutantsFound] = [0, 0, 0];

  const timed = (run: () => Explored): readonly [Explored, string] => {
    const began = now();
    const explored = run();
    const { transitions, depth } = explored;
    const seconds = ((now() - began) / 1000).toFixed(1);
    return [explored, `${explored.states} states, ${transitions} transitions, depth ${depth}, ${seconds} s`];
  };
  const judge = (name: string, run: () => Explored) => {
    const [{ states: seen, violation }, numbers] = timed(run);
    states += seen;
    say(`${name}: ${numbers}, ${violation === null ? 'no violation' : violation.invariant}`);
    if (violation === null) return;
    violations += 1;
    linesOf(violation).forEach(print);
  };

  say('The protocol:');
  for (const each of bounds) judge(sentenceOf(each), () => exploreProtocol(each));
  say('Second lines, each taken away:');
  for (const each of SECOND_LINES) judge(each.name, () => exploreBug(each));
  say('Seeded bugs:');
  for (const bug of SEEDED_BUGS) {
    const [{ violation }, numbers] = timed(() => exploreBug(bug));
    say(`${bug.name}: ${violation === null ? 'NOT FOUND' : `found by ${violation.invariant}`}, ${numbers}`);
    if (violation === null) continue;
    mutantsFound += 1;
    if (traces) linesOf(violation).forEach(say);
  }
  const mutants = SEEDED_BUGS.length;
  print(JSON.stringify({ states, violations, mutantsFound, mutants }));
  return violations === 0 && mutantsFound === mutants ? 0 : 1;
}
