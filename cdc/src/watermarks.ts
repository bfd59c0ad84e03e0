import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { applyBehind } from './errors.js';
import type { FlowClock } from './flow-clock.js';
import { type Watermark, type WatermarkKind, writeWatermark } from './watermark.js';

export const HEARTBEAT_MS = 500;
const REACH_DEADLINE_MS = 30_000;

/** Writes the watermarks of one stream into its source, and tells those who wait when they were met in the log. */
export type Watermarks = {
  write(kind: WatermarkKind, token: string): Promise<void>;
  /** Writes one and waits until the target has everything before it. Throws APPLY_BEHIND behind the deadline, half a minute when left out. */
  reach(signal: AbortSignal, deadlineMs?: number): Promise<void>;
  /** To be called when the target has everything before the watermark. */
  met(watermark: Watermark): void;
  /** Writes a heartbeat every half second; ends by throwing. */
  beat(signal: AbortSignal): Promise<never>;
};

/** Whether the watermark is by this clock: one of an earlier process may still lie in the log, and its time says nothing here. */
export const isBy = (clock: FlowClock, { token }: Watermark): boolean => token.startsWith(`${clock.id}.`);

export const newToken = (): string => randomBytes(12).toString('hex');

export function createWatermarks(options: {
  readonly connection: Connection;
  readonly schema: string;
  readonly stream: string;
  readonly clock: FlowClock;
}): Watermarks {
  const { connection, schema, stream, clock } = options;
  const waiting = new Map<string, () => void>();
  const write = (kind: WatermarkKind, token: string) =>
    writeWatermark(connection, schema, stream, { kind, token, at: clock.now() });
  return {
    write,
    async reach(signal, deadlineMs = REACH_DEADLINE_MS) {
      const token = newToken();
      const end = new AbortController();
      const late = delay(deadlineMs, 'late' as const, {
        signal: AbortSignal.any([signal, end.signal]),
      });
      // It ends by being aborted when the watermark comes first.
      late.catch(() => {});
      try {
        const met = new Promise<void>((done) => waiting.set(token, done));
        await write('verify', token);
        if ((await Promise.race([met, late])) === 'late') throw applyBehind(stream, deadlineMs);
      } finally {
        waiting.delete(token);
        end.abort();
      }
    },
    met: ({ token }) => waiting.get(token)?.(),
    async beat(signal) {
      for (;;) {
        await write('heartbeat', `${clock.id}.${newToken()}`);
        await delay(HEARTBEAT_MS, undefined, { signal });
      }
    },
  };
}
