import type { Logger } from 'pino';
import type { UpstreamListener } from './upstreams.js';

/** Says in the log when upstreams and their instances go out and come back, and when their names cannot be looked up. */
export const tellUpstreams = (log: Logger): UpstreamListener => ({
  onHealth({ name }, { healthy, reason }) {
    if (healthy) return log.info({ upstream: name }, `upstream "${name}" is healthy again`);
    const instead = name === 'legacy' ? 'it is asked all the same' : 'reads go to legacy';
    log.warn({ upstream: name }, `upstream "${name}" is not healthy (${reason ?? ''}): ${instead}`);
  },
  onInstance({ name, instances }, instance) {
    // Of an only one the line above says all.
    if (instances().length < 2) return;
    const fields = { upstream: name, instance: instance.name };
    if (instance.isUp()) log.info(fields, `an instance of upstream "${name}" is back`);
    else log.warn(fields, `an instance of upstream "${name}" is out (${instance.health().reason ?? ''})`);
  },
  onLost({ name }, host, reason) {
    const fields = { upstream: name, host };
    if (reason === null) log.info(fields, `"${host}" of upstream "${name}" is found again`);
    else
      log.warn(
        fields,
        `"${host}" of upstream "${name}" cannot be looked up (${reason}): its last addresses stay in use`,
      );
  },
});
