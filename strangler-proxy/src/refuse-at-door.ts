import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { accessLine, maskedAddress } from './access-line.js';
import type { AccessLog } from './access-log.js';
import type { Entrance } from './entrance.js';
import { redactTarget } from './redact.js';
import { type Refusal, refuse, refuseUpgrade } from './refuse.js';
import { tagAnswer } from './request-id.js';
import { withoutMapping } from './trust.js';

export type DoorParts = {
  readonly entrance: Pick<Entrance, 'newRequestId'>;
  readonly accessLog: AccessLog;
  /** Counts what the proxy refuses itself. */
  readonly refused: (error: StranglerError) => void;
  readonly now: () => number;
};

export type AtDoor = Partial<Refusal> & {
  readonly error: StranglerError;
  /** Of a request that has one meaning; the connection of any other is ended, since nobody knows where it ends. */
  readonly accepted?: Accepted;
  readonly startedAt?: number;
};

/** Answers a request, or an offer to upgrade, that goes no further: nobody has asked yet where it would go. */
export function refuseAtDoor(
  { entrance, accessLog, refused, now }: DoorParts,
  request: IncomingMessage,
  answer: ServerResponse | Duplex,
  { error, headers = {}, accepted, startedAt = now() }: AtDoor,
): void {
  const requestId = accepted?.requestId ?? entrance.newRequestId();
  tagAnswer(answer, requestId);
  refused(error);
  if ('writeHead' in answer) refuse(answer, error, { headers, close: accepted?.hasBody ?? true });
  else refuseUpgrade(answer, error, headers);
  if (!accessLog.isOn()) return;
  const time = now();
  accessLog.write(
    accessLine({
      level: accessLog.level,
      time: Math.round(time),
      requestId,
      traceId: accepted?.traceId,
      method: request.method as string,
      target: redactTarget(request.url as string),
      route: 'other',
      upstream: undefined,
      shadow: false,
      client: undefined,
      address: maskedAddress(
        accepted?.clientAddress ?? withoutMapping(request.socket.remoteAddress ?? ''),
        accessLog.address,
      ),
      by: 'proxy',
      status: error.status,
      bytes: null,
      seconds: (time - startedAt) / 1_000,
      reason: error.code,
    }),
  );
}
