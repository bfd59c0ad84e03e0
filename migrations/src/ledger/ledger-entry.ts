import type { Phase } from '@strangler/contracts';
import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { Gate } from '../gates/gate.js';
import type { LedgerEvent, LedgerKind } from './ledger.js';

/** One row of the ledger. The triggers of the schema refuse to change or delete it. */
@Entity({ name: 'strangler_ledger' })
@Unique('one_event_per_sequence', ['migration', 'sequence'])
export class LedgerEntry {
  /** BIGINT comes as text. */
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true })
  id: string;
  @Column({ type: 'varchar', length: 63 })
  migration: string;
  @Column({ type: 'int', unsigned: true })
  sequence: number;
  @Column({ type: 'datetime', precision: 3 })
  at: Date;
  @Column({ type: 'varchar', length: 20 })
  kind: LedgerKind;
  @Column({ name: 'from_phase', type: 'varchar', length: 16 })
  fromPhase: Phase;
  @Column({ name: 'to_phase', type: 'varchar', length: 16 })
  toPhase: Phase;
  @Column({ name: 'share_from', type: 'tinyint', unsigned: true, nullable: true })
  shareFrom: number | null;
  @Column({ name: 'share_to', type: 'tinyint', unsigned: true, nullable: true })
  shareTo: number | null;
  @Column({ type: 'varchar', length: 190 })
  by: string;
  @Column({ type: 'varchar', length: 1000, nullable: true })
  why: string | null;
  @Column({ type: 'simple-json' })
  gates: readonly Gate[];
  @Column({ type: 'simple-json', nullable: true })
  verification: LedgerEvent['verification'];
  @Column({ type: 'simple-json', nullable: true })
  counters: LedgerEvent['counters'];
  @Column({ type: 'simple-json', nullable: true })
  cutover: LedgerEvent['cutover'];

  @Column({ name: 'plan_revision', type: 'varchar', length: 12 })
  planRevision: string;
}

export const eventOf = (entry: LedgerEntry): LedgerEvent => ({
  id: Number(entry.id),
  migration: entry.migration,
  sequence: entry.sequence,
  at: entry.at.toISOString(),
  kind: entry.kind,
  from: entry.fromPhase,
  to: entry.toPhase,
  shareFrom: entry.shareFrom,
  shareTo: entry.shareTo,
  by: entry.by,
  why: entry.why,
  gates: entry.gates,
  verification: entry.verification,
  counters: entry.counters,
  planRevision: entry.planRevision,
  ...(entry.cutover ? { cutover: entry.cutover } : {}),
});
