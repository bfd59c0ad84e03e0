import { Counter, type Registry } from 'prom-client';

/** Counters of who was let in. Their labels are names of the plan and of this file. */
export function countIdentities(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name: `strangler_proxy_${name}_total`, help, labelNames, registers });
  return {
    /** `outcome`: `verified` or the code of the error. */
    tokens: counter('tokens', 'Bearer tokens looked at, by outcome.', ['auth', 'outcome']),
    /** `outcome`: `user`, `nobody` or the code of the error. */
    sessions: counter('sessions', 'Requests that came with or without a session, by outcome.', ['outcome']),
    introspections: counter('introspections', 'Times legacy was asked whose session it is, by answer.', [
      'answer',
    ]),
  };
}
export type IdentityCounters = ReturnType<typeof countIdentities>;
