import { isDeepStrictEqual } from 'node:util';
import type { Plan, Problem } from '@strangler/contracts';

/** What a running proxy cannot let go of: its sockets and what guards them, whom it follows, and where it keeps what it heard. */
const FIXED: readonly (readonly [path: string, read: (plan: Plan) => unknown])[] = [
  ['proxy.listen', ({ proxy }) => proxy.listen],
  ['proxy.tls', ({ proxy }) => proxy.tls],
  ['proxy.expectContinue', ({ proxy }) => proxy.expectContinue],
  // The rest of the limits is asked for each request.
  ['proxy.limits.headBytes', ({ proxy }) => proxy.limits.headBytes],
  ['proxy.limits.headMs', ({ proxy }) => proxy.limits.headMs],
  ['proxy.limits.idleMs', ({ proxy }) => proxy.limits.idleMs],
  ['proxy.limits.connections', ({ proxy }) => proxy.limits.connections],
  ['proxy.limits.connectionsPerClient', ({ proxy }) => proxy.limits.connectionsPerClient],
  ['proxy.admin', ({ proxy }) => proxy.admin],
  ['proxy.workers', ({ proxy }) => proxy.workers],
  ['proxy.adminToken', ({ proxy }) => proxy.adminToken],
  ['proxy.stateFile', ({ proxy }) => proxy.stateFile],
  ['control.listen', ({ control }) => control?.listen],
  ['control.adminToken', ({ control }) => control?.adminToken],
];

/** Everything in the new plan that only a restart can put into force. */
export const needsRestart = (running: Plan, next: Plan): readonly Problem[] =>
  FIXED.filter(([, read]) => !isDeepStrictEqual(read(running), read(next))).map(([path]) => ({
    code: 'PLAN_NEEDS_RESTART',
    path,
    message: 'cannot change while the proxy runs',
    remedy: 'restart the proxy, or put back what was there',
  }));
