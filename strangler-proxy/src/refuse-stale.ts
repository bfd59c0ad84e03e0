import { type RawHeaders, valuesOf } from './headers.js';
import type { Relay } from './relay.js';

/** What a service says of a write that came by an older epoch than it has heard of; nothing was done. */
const STALE_STATUS = 409;
const STALE_CODE = 'STALE_EPOCH';
/** An answer that says so is short. */
export const MOST_STALE_BYTES = 4_096;

/** Whether an answer may say so, by its head. */
export function maybeStale(status: number, raw: RawHeaders): boolean {
  if (status !== STALE_STATUS) return false;
  const [type = ''] = valuesOf(raw, 'content-type');
  const [length = '0'] = valuesOf(raw, 'content-length');
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(type) && Number(length) <= MOST_STALE_BYTES;
}

/** Whether it does, by its body. */
export function isStale(body: string): boolean {
  try {
    const said: unknown = JSON.parse(body);
    return typeof said === 'object' && said !== null && 'code' in said && said.code === STALE_CODE;
  } catch {
    return false;
  }
}

/** A relay that keeps answers back which may say that the epoch is stale; calls `stale`, in place of their end, where they do. */
export function refuseStale(relay: Relay, stale: () => void): Relay {
  let head: (() => void) | undefined;
  let chunks: Buffer[] = [];
  let bytes = 0;
  const letGo = (): void => {
    head?.();
    head = undefined;
    for (const chunk of chunks) relay.data(chunk);
    chunks = [];
  };
  return {
    ...relay,
    head(status, message, raw) {
      if (maybeStale(status, raw)) head = () => relay.head(status, message, raw);
      else relay.head(status, message, raw);
    },
    data(chunk) {
      if (!head) return relay.data(chunk);
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_STALE_BYTES) letGo();
      return true;
    },
    end(trailers, done) {
      if (head && isStale(Buffer.concat(chunks).toString())) return stale();
      letGo();
      relay.end(trailers, done);
    },
  };
}
