import type { Accepted } from './accept.js';
import type { Entrance } from './entrance.js';
import type { RawHeaders } from './headers.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** What the proxy adds to every answer, names and values in turn, besides cookies. */
export const answerHeaders = (
  { requestId }: Pick<Accepted, 'requestId'>,
  { via }: Pick<Entrance, 'via'>,
): RawHeaders =>
  via === undefined ? [REQUEST_ID_HEADER, requestId] : [REQUEST_ID_HEADER, requestId, 'Via', via];
