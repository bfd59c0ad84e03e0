import { Counter, Gauge, type Registry } from 'prom-client';
import type { Upstreams } from './upstreams.js';

/**
 * Instances, breakers and retries of each upstream, read when somebody asks. Instances are counted and never named: addresses of a name come
 * and go, and each would be a new series.
 */
export function exportUpstreams(registry: Registry, current: () => Upstreams['all']): void {
  const registers = [registry];
  const gauge = (name: string, help: string, countsOf: (upstream: string) => Record<string, number>) =>
    new Gauge({
      name: `strangler_proxy_upstream_${name}`,
      help,
      labelNames: ['upstream', 'state'],
      registers,
      collect() {
        this.reset();
        for (const upstream of current().keys())
          for (const [state, count] of Object.entries(countsOf(upstream)))
            this.set({ upstream, state }, count);
      },
    });
  const evidenceOf = (upstream: string) => current().get(upstream)?.evidence().instances ?? [];
  gauge('instances', 'Instances that may be sent to, and those that are out.', (upstream) => {
    const instances = evidenceOf(upstream);
    const healthy = instances.filter((instance) => instance.healthy).length;
    return { healthy, unhealthy: instances.length - healthy };
  });
  gauge('breakers', 'Circuit breakers of instances, by state.', (upstream) => {
    const states = { closed: 0, open: 0, 'half-open': 0 };
    for (const { breaker } of evidenceOf(upstream)) states[breaker]++;
    return states;
  });

  type Counts = ReturnType<NonNullable<ReturnType<Upstreams['all']['get']>>['counts']>;
  const counter = (
    name: string,
    help: string,
    labelName: string[],
    read: (counts: Counts) => readonly (readonly [labels: Record<string, string>, count: number])[],
  ) =>
    new Counter({
      name: `strangler_proxy_upstream_${name}_total`,
      help,
      labelNames: ['upstream', ...labelName] as string[],
      registers,
      collect() {
        this.reset();
        for (const [upstream, { counts }] of current())
          for (const [labels, count] of read(counts())) this.inc({ upstream, ...labels }, count);
      },
    });
  counter('retries', 'Requests sent again, by what had become of the first.', ['cause'], ({ retries }) =>
    Object.entries(retries).map(([cause, count]) => [{ cause }, count] as const),
  );
  counter('retries_denied', 'Retries that the budget did not allow.', [], ({ denied }) => [[{}, denied]]);
  counter('breaker_opened', 'How often a breaker opened.', [], ({ opened }) => [[{}, opened]]);
}
