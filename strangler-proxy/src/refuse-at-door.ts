import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StranglerError } from '@strangler/contracts';
import { accessLine, maskedAddress } from './access-line.js';
import type { AccessLog } from './access-log.js';
import type { Entrance } from './entrance.js';
import { redactTarget } from './redact.js';
import { refuse } from './refuse.js';
import { tagAnswer } from './request-id.js';
import { withoutMapping } from './trust.js';

export type DoorParts = {
  readonly entrance: Pick<Entrance, 'newRequestId'>;
  readonly accessLog: AccessLog;
  readonly now: () => number;
};

/** A request with more than one meaning: it is answered and its connection ended, since nobody knows where it ends. */
export function refuseAtDoor(
  { entrance, accessLog, now }: DoorParts,
  request: IncomingMessage,
  response: ServerResponse,
  error: StranglerError,
  startedAt: number,
): void {
  const requestId = entrance.newRequestId();
  tagAnswer(response, requestId);
  refuse(response, error, { close: true });
  if (!accessLog.isOn()) return;
  const time = now();
  accessLog.write(
    accessLine({
      level: accessLog.level,
      time: Math.round(time),
      requestId,
      traceId: undefined,
      method: request.method as string,
      target: redactTarget(request.url as string),
      route: 'other',
      upstream: undefined,
      shadow: false,
      client: undefined,
      address: maskedAddress(withoutMapping(request.socket.remoteAddress ?? ''), accessLog.address),
      by: 'proxy',
      status: error.status,
      bytes: null,
      seconds: (time - startedAt) / 1_000,
      reason: error.code,
    }),
  );
}
