import { SYNC_STATES, type SyncEvidence } from '@strangler/contracts';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Prometheus metrics made from the evidence at the moment they are asked for, so that the two never differ. */
export function createMetrics(evidence: () => SyncEvidence): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (
    name: string,
    help: string,
    read: (sync: SyncEvidence['migrations'][string]) => number | null,
    labels: Record<string, string> = {},
  ) => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['migration', ...Object.keys(labels)],
        registers: [],
        collect() {
          this.reset();
          for (const [migration, sync] of Object.entries(evidence().migrations)) {
            const value = read(sync);
            if (value !== null) this.set({ migration, ...labels }, value);
          }
        },
      }),
    );
  };
  gauge(
    'strangler_sync_lag_seconds',
    'Seconds from source commit to target commit of the newest heartbeat',
    ({ lagMs }) => (lagMs === null ? null : lagMs / 1000),
  );
  gauge('strangler_sync_lag_p99_seconds', '99th percentile of the lag over ten minutes', ({ lagMsP99 }) =>
    lagMsP99 === null ? null : lagMsP99 / 1000,
  );
  gauge(
    'strangler_sync_applied_transactions',
    'Source transactions applied since the start of the process',
    ({ applied }) => applied.transactions,
  );
  gauge(
    'strangler_sync_applied_rows',
    'Row changes applied since the start of the process',
    ({ applied }) => applied.rows,
  );
  gauge('strangler_sync_backfill_copied_rows', 'Rows the backfill has read', ({ backfill }) =>
    backfill.tables.reduce((sum, { copied }) => sum + copied, 0),
  );
  gauge('strangler_sync_backfill_rows', 'Rows the backfill has to read', ({ backfill }) =>
    backfill.tables.reduce((sum, { total }) => sum + total, 0),
  );
  gauge(
    'strangler_sync_drift_rows',
    'Rows that the last verification found to differ',
    ({ verification }) => verification?.driftRows ?? null,
  );
  gauge(
    'strangler_sync_inline_drift_keys',
    'Written keys that differed soon after in every look',
    ({ inline }) => inline?.drifted ?? null,
  );
  gauge(
    'strangler_sync_verified_rows',
    'Rows that the last verification compared',
    ({ verification }) => verification?.rowsVerified ?? null,
  );
  gauge(
    'strangler_sync_parked_keys',
    'Keys that wait because the target has refused a row of theirs',
    ({ parked }) => parked?.keys ?? null,
  );
  gauge(
    'strangler_sync_stray_writes',
    'Rows of the copy that somebody else has written',
    ({ strayWrites }) => strayWrites?.count ?? null,
  );
  gauge(
    'strangler_sync_stray_writes_watched',
    '1 while the log of the target is looked through for them, 0 while it cannot be',
    ({ strayWrites }) => (strayWrites ? (strayWrites.unwatched === null ? 1 : 0) : null),
  );
  gauge(
    'strangler_sync_throttled',
    '1 while the copy pauses because the stream is behind or a server is busy',
    ({ backfill }) => (backfill.throttled === undefined ? null : backfill.throttled === null ? 0 : 1),
  );
  registry.registerMetric(
    new Gauge({
      name: 'strangler_sync_conflicts_total',
      help: 'Rows that both sides had written before they knew of each other, by what decided and who won',
      labelNames: ['migration', 'table', 'policy', 'winner'],
      registers: [],
      collect() {
        this.reset();
        for (const [migration, { conflicts = [] }] of Object.entries(evidence().migrations))
          for (const { count, ...labels } of conflicts) this.set({ migration, ...labels }, count);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'strangler_sync_state',
      help: '1 for the state a migration is in',
      labelNames: ['migration', 'state'],
      registers: [],
      collect() {
        for (const [migration, { state }] of Object.entries(evidence().migrations))
          for (const name of SYNC_STATES) this.set({ migration, state: name }, name === state ? 1 : 0);
      },
    }),
  );
  return registry;
}
