import type { Logger } from 'pino';
import type { Upstreams } from './upstreams.js';

/** Says in the log when upstreams and their instances go out and come back, and when their names cannot be looked up. */
export function tellUpstreams(upstreams: Upstreams, log: Logger): void {
  upstreams.onHealth((upstream, { healthy, reason }) => {
    if (healthy) return log.info({ upstream }, `upstream "${upstream}" is healthy again`);
    const instead = upstream === 'legacy' ? 'it is asked all the same' : 'reads go to legacy';
    log.warn({ upstream }, `upstream "${upstream}" is not healthy (${reason ?? ''}): ${instead}`);
  });
  upstreams.onInstance(({ name, instances }, instance) => {
    // Of an only one the line above says all.
    if (instances().length < 2) return;
    const fields = { upstream: name, instance: instance.name };
    if (instance.isUp()) log.info(fields, `an instance of upstream "${name}" is back`);
    else log.warn(fields, `an instance of upstream "${name}" is out (${instance.health().reason ?? ''})`);
  });
  upstreams.onLost((upstream, host, reason) => {
    if (reason === null) log.info({ upstream, host }, `"${host}" of upstream "${upstream}" is found again`);
    else
      log.warn(
        { upstream, host },
        `"${host}" of upstream "${upstream}" cannot be looked up (${reason}): its last addresses stay in use`,
      );
  });
}
