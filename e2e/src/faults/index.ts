/** What the bench of cutovers takes from the search for their faults: the same system, the same writes, the same judge. */
export { checkHistory } from './check-history.js';
export { CELLS } from './databases.js';
export type { ClientWrite, Findings } from './history.js';
export { atRest, settleOn } from './run.js';
export { openSender, type Sent } from './send.js';
export { openSession, readJournal, type Session, verifyClean } from './session.js';
export type { Servers } from './stage.js';
