import type { LedgerEvent, NewLedgerEvent } from './ledger.js';

export const event = (changes: Partial<NewLedgerEvent> = {}): NewLedgerEvent => ({
  kind: 'advanced',
  from: 'legacy',
  to: 'syncing',
  shareFrom: null,
  shareTo: null,
  by: 'ann',
  why: null,
  gates: [{ gate: 'proxy-answers', met: true, detail: '"proxy-1" answers' }],
  verification: null,
  counters: null,
  planRevision: 'revision',
  ...changes,
});

/** Events as the ledger gives them back, a minute apart. */
export const historyOf = (events: readonly (Partial<NewLedgerEvent> & { migration?: string })[]) => {
  const sequences = new Map<string, number>();
  return events.map(({ migration = 'catalog', ...changes }, index): LedgerEvent => {
    const sequence = (sequences.get(migration) ?? 0) + 1;
    sequences.set(migration, sequence);
    return {
      ...event(changes),
      id: index + 1,
      migration,
      sequence,
      at: new Date(Date.parse('2026-11-23T11:00:00.000Z') + index * 60_000).toISOString(),
    };
  });
};
