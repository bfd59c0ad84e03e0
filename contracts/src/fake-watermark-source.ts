import { type WatermarkAnswer, WATERMARK_WAIT_MS } from './watermark-answer.js';
import type { WatermarkSource } from './watermark-source.js';

/** A source that a test moves by hand, with a clock of its own; while it is `lost` it rejects every question. */
export function fakeWatermarkSource(
  now: () => number,
  clock = 'fake',
  waitMs = WATERMARK_WAIT_MS,
): WatermarkSource & {
  move(migration: string, appliedUntil: number | null): void;
  lose(is: boolean): void;
  /** Another process has taken over, and its clock. */
  replace(clock: string): void;
} {
  const migrations: Record<string, WatermarkAnswer['migrations'][string]> = {};
  const waiting = new Set<() => void>();
  let sequence = 1;
  let isLost = false;
  const wakeAll = () => {
    for (const wake of waiting) wake();
  };
  return {
    async ask(after, signal) {
      const askedAt = now();
      if (isLost) throw new Error('the fake sync is lost');
      if (after === sequence) {
        const end = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
        await new Promise<void>((done) => {
          const wake = () => {
            waiting.delete(wake);
            end.removeEventListener('abort', wake);
            done();
          };
          waiting.add(wake);
          end.addEventListener('abort', wake);
          if (end.aborted) wake();
        });
      }
      signal.throwIfAborted();
      if (isLost) throw new Error('the fake sync is lost');
      return { clock, askedAt, answeredAt: now(), sequence, migrations: structuredClone(migrations) };
    },
    move(migration, appliedUntil) {
      migrations[migration] = { appliedUntil };
      sequence++;
      wakeAll();
    },
    lose(is) {
      isLost = is;
      if (is) wakeAll();
    },
    replace(next) {
      clock = next;
      for (const name of Object.keys(migrations)) migrations[name] = { appliedUntil: null };
      sequence++;
      wakeAll();
    },
  };
}
