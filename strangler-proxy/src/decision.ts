/** The steps between a request and the choice of its upstream, for those who measure what they cost. */
export { accept, type Accepted, type RequestHead } from './accept.js';
export { consult } from './consult.js';
export { decide } from './decide.js';
export { FlagFile } from './flag-file.js';
export type { Flags } from './flags.js';
export { identify } from './identify.js';
export { match } from './match.js';
export { createOwnWrites } from './own-writes.js';
export { createPins } from './pins.js';
export { createRouting } from './routing.js';
export { unleashFlags } from './unleash-flags.js';
export { createWorkflowSides } from './workflow-side.js';
