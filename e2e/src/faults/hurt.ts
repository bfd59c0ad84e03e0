import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './choose.js';
import type { Stage } from './stage.js';

/** What a fault takes; two faults of one place come one after the other. */
export const placeOf = (fault: Fault): string =>
  'program' in fault ? fault.program : 'link' in fault ? fault.link : `database of ${fault.side}`;

/** Does one fault; when it resolves, everything is mended, though what was killed may still be starting. */
export async function hurt(fault: Fault, stage: Stage): Promise<void> {
  if ('link' in fault) {
    const link = stage.links[fault.link];
    link.set(fault.kind === 'cut' ? 'cut' : 'silent');
    await delay(fault.forMs);
    return link.set('whole');
  }
  if ('program' in fault) {
    const program = stage.programs[fault.program];
    if (fault.kind === 'kill') return program.kill(fault.forMs);
    program.pause();
    await delay(fault.forMs);
    return program.resume();
  }
  const server = stage.servers[fault.side];
  if (fault.kind === 'kill database') return server.restart('SIGKILL');
  const pid = server.pid();
  process.kill(pid, 'SIGSTOP');
  await delay(fault.forMs);
  process.kill(pid, 'SIGCONT');
}
