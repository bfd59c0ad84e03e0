import { EXIT, problemLine, reasonOf, StranglerError } from '@strangler/contracts';
import { CommanderError } from 'commander';
import { GateUnmet } from '../errors.js';
import type { Gate } from '../gates/gate.js';
import { PlanBroken } from './read-plan.js';
import { printable, type Terminal } from './terminal.js';

export const gateLines = (gates: readonly Gate[]): string =>
  gates.map((gate) => `  ${gate.met ? 'met   ' : 'UNMET '} ${gate.gate}: ${gate.detail}\n`).join('');

/** Says what went wrong, to a person or as JSON, and answers the exit code. */
export function fail(error: unknown, terminal: Terminal, json: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own sentence, and help is no failure.
    return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  }
  if (error instanceof PlanBroken) {
    if (json) terminal.out(`${JSON.stringify({ ok: false, problems: error.problems })}\n`);
    else {
      for (const problem of error.problems) terminal.err(printable(`${problemLine(problem)}\n`));
      terminal.err(`${error.message}\n`);
    }
    return EXIT.badInput;
  }
  if (error instanceof GateUnmet) {
    if (json)
      terminal.out(
        `${JSON.stringify({ ok: false, code: error.code, message: error.message, gates: error.gates })}\n`,
      );
    else terminal.err(printable(`${error.message.split(': ')[0]}:\n${gateLines(error.gates)}`));
    return EXIT.gateUnmet;
  }
  const code = error instanceof StranglerError ? error.code : 'FAILED';
  if (json) terminal.out(`${JSON.stringify({ ok: false, code, message: reasonOf(error) })}\n`);
  else terminal.err(printable(`${reasonOf(error)}\n`));
  return error instanceof StranglerError && error.status < 500 ? EXIT.badInput : EXIT.failed;
}
