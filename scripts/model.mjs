// `npm run model -- --json`: every state of the cutover's protocol within bounds, and bugs in it that must be found.
import { prepare } from './prepare.mjs';

prepare();
const { runModel } = await import('../e2e/dist/model/main.js');
process.exitCode = runModel(
  process.argv.slice(2),
  (line) => console.log(line),
  () => performance.now(),
);
