import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import { headOf } from './head-of.js';
import { limitHead } from './limit-head.js';
import type { PipelineParts } from './pipeline.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { tagAnswer } from './request-id.js';

/** An offer to upgrade: refused as other requests are, or joined to legacy. It stays, so it takes no place. */
export function serveUpgrade(
  parts: PipelineParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { routing, entrance, forward, admission, proxy } = parts;
  socket.on('error', () => socket.destroy());
  const asked = headOf(request);
  const accepted =
    asked instanceof StranglerError
      ? asked
      : (limitHead(asked, proxy.limits) ?? accept(asked, routing.current.paths, entrance));
  if (accepted instanceof StranglerError) return refuseAtDoor(parts, request, socket, { error: accepted });
  const refusal = admission.knock(accepted) ?? admission.allow(accepted, undefined);
  if (refusal) return refuseAtDoor(parts, request, socket, { ...refusal, accepted });
  tagAnswer(socket, accepted.requestId);
  forward.upgrade(request, accepted, socket, head);
}
