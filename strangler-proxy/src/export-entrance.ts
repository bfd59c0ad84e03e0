import { Counter, Gauge, type Registry } from 'prom-client';

/** What Prometheus gets of the way in. */
export function exportEntrance(registry: Registry) {
  const registers = [registry];
  return {
    spansDropped: new Counter({
      name: 'strangler_proxy_spans_dropped_total',
      help: 'Spans that the collector did not take, or that did not fit into the queue.',
      registers,
    }),
    certificates: new Counter({
      name: 'strangler_proxy_tls_reads_total',
      help: 'Certificates that were read, by outcome; a refused one leaves the old one in force.',
      labelNames: ['outcome'],
      registers,
    }),
    certificateEnds: new Gauge({
      name: 'strangler_proxy_tls_not_after_seconds',
      help: 'End of the certificate in force, in seconds since 1970; 0 without TLS.',
      registers,
    }),
  };
}
