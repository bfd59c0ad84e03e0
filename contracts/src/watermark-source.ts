import { bearerOf } from './guard-admin.js';
import { syncNotUnderstood } from './errors.js';
import { type WatermarkAnswer, watermarkAnswerSchema, WATERMARK_WAIT_MS } from './watermark-answer.js';

/** Who knows how far the copies of migrations have come. */
export type WatermarkSource = {
  /** At once when a watermark has moved since the answer with the sequence `after`, else when one does, or after a while. Rejects when it cannot be had. */
  ask(after: number, signal: AbortSignal): Promise<WatermarkAnswer>;
};

/** The sync behind an admin address, and the token it asks for. Rejects with SYNC_NOT_UNDERSTOOD, or with what `fetch` throws. */
export const httpWatermarkSource = (url: string, token?: string): WatermarkSource => ({
  async ask(after, signal) {
    const response = await fetch(`${url}/watermark?after=${after}`, {
      headers: bearerOf(token),
      signal: AbortSignal.any([signal, AbortSignal.timeout(2 * WATERMARK_WAIT_MS)]),
    });
    const answer = watermarkAnswerSchema.safeParse(await response.json().catch(() => undefined));
    if (!response.ok || !answer.success) throw syncNotUnderstood(response.status);
    return answer.data;
  },
});
