import type { EventEmitter } from 'node:events';
import type { Plan } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { valuesOf } from './headers.js';
import type { Verdict } from './judge.js';
import type { Refusal } from './refuse.js';
import type { WriteGate } from './write-gate.js';

export type HoldWriteParts = {
  readonly proxy: Pick<Plan['proxy'], 'hold'>;
  readonly gate: Pick<WriteGate, 'hold'>;
  readonly now: () => number;
};

/** `patienceMs`: how much of its time is left to a write that was held. */
export type Released<Judged> = { readonly judged: Judged; readonly patienceMs: number };

/** A response, or the socket of an upgrade. */
type Client = Pick<EventEmitter, 'once' | 'off'> & { readonly destroyed: boolean; readonly closed?: boolean };

// What a server of Node reads of a body nobody takes: its highWaterMark (see listeners.ts).
const MOST_READ_BYTES = 131_072;

/**
 * Keeps a write back while writes change sides, and judges it again by the routing then in force. Nothing of it has gone anywhere, and of its body no more
 * is read than the server reads by itself. `left`: its client has hung up.
 */
export async function holdWrite<Judged extends Pick<Verdict, 'isHeld'>>(
  { proxy: { hold: limits }, gate, now }: HoldWriteParts,
  migration: string,
  accepted: Accepted,
  client: Client,
  judgeAgain: () => Judged,
): Promise<Released<Judged> | Refusal | 'left'> {
  const until = now() + limits.maxMs;
  const bytes = bytesOf(accepted);
  for (;;) {
    if (client.destroyed || client.closed) return 'left';
    const held = gate.hold({ migration, limits, bytes, milliseconds: until - now() });
    if ('error' in held) return held;
    const leave = () => held.leave();
    client.once('close', leave);
    const ended = await held.ended;
    client.off('close', leave);
    if (ended !== 'released') return ended;
    const judged = judgeAgain();
    if (!judged.isHeld) return { judged, patienceMs: Math.max(0, until - now()) };
  }
}

/** The head, and as much of the body as may be read while nobody takes it. */
function bytesOf({ target, headers, hasBody }: Accepted): number {
  let bytes = target.length;
  for (const text of headers) bytes += text.length;
  if (!hasBody) return bytes;
  const [declared] = valuesOf(headers, 'content-length');
  return bytes + Math.min(declared === undefined ? Infinity : Number(declared), MOST_READ_BYTES);
}

/** How long writes of a migration on their way may take to end; none of them are of one that the plan does not know. */
export const drainMsOf =
  ({ migrations }: Pick<Plan, 'migrations'>) =>
  (migration: string): number =>
    migrations[migration]?.cutover.drainMs ?? 0;
