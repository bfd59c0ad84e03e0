import { runProgram } from '@strangler/contracts';
import { controlProgram } from './control-program.js';

await runProgram(controlProgram, process.argv.slice(2), process.env);
