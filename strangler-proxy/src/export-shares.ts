import { Gauge, type Registry } from 'prom-client';
import type { ProxyEvidence } from '@strangler/contracts';

/** Configured and observed share of each migration, read when somebody asks. What cannot be told has no series. */
export function exportShares(registry: Registry, migrations: () => ProxyEvidence['migrations']): void {
  const registers = [registry];
  const gauge = (
    name: string,
    help: string,
    read: (share: ProxyEvidence['migrations'][string]['share']) => Record<string, number | null>,
  ) =>
    new Gauge({
      name: `strangler_proxy_share_${name}`,
      help,
      labelNames: ['migration', 'of'],
      registers,
      collect() {
        this.reset();
        for (const [migration, { share }] of Object.entries(migrations()))
          for (const [of, value] of Object.entries(read(share)))
            if (value !== null) this.set({ migration, of }, value);
      },
    });
  gauge('configured_percent', 'Percent of clients the flag sends to the service.', ({ configured }) => ({
    clients: configured,
  }));
  gauge(
    'observed_percent',
    'Percent that went to the service since flag or phase last changed.',
    ({ observedClients, observedRequests }) => ({ clients: observedClients, requests: observedRequests }),
  );
  gauge(
    'pinned_clients',
    'Clients whom a pin alone keeps on the service since flag or phase last changed.',
    ({ pinned = 0 }) => ({ clients: pinned }),
  );
}
