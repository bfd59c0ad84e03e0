import { type WatermarkAnswer, WATERMARK_WAIT_MS } from '@strangler/contracts';
import type { FlowClock } from './flow-clock.js';

/** The watermark of every migration, and those who wait for one to move. */
export type AppliedUntil = {
  /** `until` is a time of the clock before which everything is in the target; null: nothing can be said any more. */
  move(migration: string, until: number | null): void;
  /** At once when something has moved since `after`, else when it does, at latest after ten seconds. */
  answer(after: number, signal: AbortSignal): Promise<WatermarkAnswer>;
};

export function createAppliedUntil(
  clock: FlowClock,
  migrations: readonly string[],
  waitMs = WATERMARK_WAIT_MS,
): AppliedUntil {
  const untils = new Map<string, number | null>(migrations.map((name) => [name, null]));
  const waiting = new Set<() => void>();
  let sequence = 1;
  return {
    move(migration, until) {
      const before = untils.get(migration) ?? null;
      if (until === before || (until !== null && before !== null && until < before)) return;
      untils.set(migration, until);
      sequence++;
      for (const wake of waiting) wake();
    },
    async answer(after, signal) {
      const askedAt = clock.now();
      if (after === sequence && !signal.aborted) {
        const end = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
        await new Promise<void>((done) => {
          const wake = () => {
            waiting.delete(wake);
            end.removeEventListener('abort', wake);
            done();
          };
          waiting.add(wake);
          end.addEventListener('abort', wake);
        });
      }
      return {
        clock: clock.id,
        askedAt,
        answeredAt: clock.now(),
        sequence,
        migrations: Object.fromEntries([...untils].map(([name, appliedUntil]) => [name, { appliedUntil }])),
      };
    },
  };
}
