import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import { headOf } from './head-of.js';
import { holdWrite } from './hold-write.js';
import { limitHead } from './limit-head.js';
import { match, type Route } from './match.js';
import type { PipelineParts } from './pipeline.js';
import { refuseAtDoor } from './refuse-at-door.js';
import { tagAnswer } from './request-id.js';

/**
 * An offer to upgrade: refused as other requests are, or joined to legacy. It stays, so it takes no place. On a route of a migration it is a write,
 * held as the others are, and on its way until its connection is closed.
 */
export function serveUpgrade(
  parts: PipelineParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { routing, entrance, forward, admission, gate, proxy } = parts;
  socket.on('error', () => socket.destroy());
  const asked = headOf(request);
  const accepted =
    asked instanceof StranglerError
      ? asked
      : (limitHead(asked, proxy.limits) ?? accept(asked, routing.current.paths, entrance));
  if (accepted instanceof StranglerError) return refuseAtDoor(parts, request, socket, { error: accepted });
  const allowed = admission.knock(accepted) ?? admission.allow(accepted, undefined);
  if (allowed) return refuseAtDoor(parts, request, socket, { ...allowed, accepted });
  tagAnswer(socket, accepted.requestId);
  const join = (route: Route | undefined): void => {
    // It may write for as long as it is open, and nobody sees what.
    const write = route && gate.pass(route, 'legacy');
    if (write) socket.once('close', () => write.over());
    forward.upgrade(request, accepted, socket, head);
  };
  const judgeNow = () => {
    const { current } = routing;
    const { route } = match(current.routes, accepted.method, accepted.path, accepted);
    return { route, isHeld: route !== undefined && current.isHeld(route) };
  };
  const { route, isHeld } = judgeNow();
  if (!isHeld || !route) return join(route);
  void holdWrite(parts, route.migration, accepted, socket, judgeNow).then((kept) => {
    if (kept === 'left') return socket.destroy();
    if ('error' in kept) return refuseAtDoor(parts, request, socket, { ...kept, accepted });
    return join(kept.judged.route);
  });
}
