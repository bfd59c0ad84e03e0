import { Counter, Gauge, Registry } from 'prom-client';
import type { WritesEvidence } from '@strangler/contracts';
import { createTally } from './tally.js';

/** What Prometheus gets. Labels are names of the plan only, so that no request can make a new series. */
export function createMetrics(
  shadowPending: () => number,
  inFlight: () => number,
  carriedByExpress: () => number,
  waiting: () => Readonly<Record<string, number>>,
  writes: () => readonly (readonly [migration: string, WritesEvidence])[],
) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `strangler_proxy_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name: `strangler_proxy_${name}`, help, labelNames, registers });
  /** Read when somebody asks, so that no request pays for it. */
  const asked = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `strangler_proxy_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const ofWrites = (name: string, help: string, read: (evidence: WritesEvidence) => number) =>
    new Gauge({
      name: `strangler_proxy_${name}`,
      help,
      labelNames: ['migration'],
      registers,
      collect() {
        this.reset();
        for (const [migration, evidence] of writes()) this.set({ migration }, read(evidence));
      },
    });
  return {
    registry,
    held: counter(
      'held_writes_total',
      'Writes that were held while they changed sides, by what became of them.',
      ['migration', 'outcome'],
    ),
    writesHeld: ofWrites('writes_held', 'Writes that are held now.', ({ held }) => held),
    writesInFlight: ofWrites(
      'writes_in_flight',
      'Writes of the migration that were let go and have no outcome yet.',
      (evidence) => evidence.inFlight,
    ),
    lastHold: ofWrites(
      'last_hold_seconds',
      'How long writes were held the last time; 0 before.',
      ({ lastHoldMs }) => (lastHoldMs ?? 0) / 1_000,
    ),
    answers: createTally(registry),
    refused: counter(
      'refused_total',
      'Requests and connections the proxy refused itself, by the code of the error.',
      ['code'],
    ),
    fallbacks: counter('fallbacks_total', 'Answers meant for the service and given by legacy.', ['route']),
    serviceFailures: counter(
      'service_failures_total',
      'Answers of the service with 500 and above, or none.',
      ['migration'],
    ),
    comparisons: counter('comparisons_total', 'Answers compared, by outcome.', ['route', 'outcome']),
    notCompared: counter('not_compared_total', 'Answers not compared, by reason.', ['route', 'reason']),
    carriedByExpress: new Counter({
      name: 'strangler_proxy_express_requests_total',
      help: 'Requests that the express lane has carried; the others went by node:http.',
      registers,
      collect() {
        this.reset();
        this.inc(carriedByExpress());
      },
    }),
    waiting: new Gauge({
      name: 'strangler_proxy_requests_waiting',
      help: 'Requests that wait for a place, at the proxy or at an upstream.',
      labelNames: ['at'],
      registers,
      collect() {
        // A plan that is put into force may have other names.
        this.reset();
        for (const [at, count] of Object.entries(waiting())) this.set({ at }, count);
      },
    }),
    handedOver: new Counter({
      name: 'strangler_proxy_handed_over_total',
      help: 'Connections with a request that the express lane left to node:http.',
      registers,
    }),
    inFlight: asked('requests_in_flight', 'Requests that have not been answered yet.', inFlight),
    shadowPending: asked(
      'shadow_pending',
      'Shadows that are filled, waiting or being compared.',
      shadowPending,
    ),
    healthy: gauge('upstream_healthy', '1 while the upstream answers its health path.', ['upstream']),
    stateVersion: gauge('state_version', 'Version of the routing state in force.'),
    planReloads: counter('plan_reloads_total', 'Changed plans, by what became of them.', ['outcome']),
    planRejected: gauge(
      'plan_rejected',
      '1 while the plan file says something that could not be put into force.',
    ),
    inContact: gauge('in_contact', '1 while the control plane can be reached.'),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
