import { type RawHeaders, valuesOf } from './headers.js';
import type { RandomHex } from './random-hex.js';

export const REQUEST_ID_HEADER = 'X-Request-Id';
const BYTES = 16;
// Letters that are safe in logs, headers, JSON and shells.
const SANE = /^[\w.:+/=@-]{1,128}$/;

export const newRequestId = (randomHex: RandomHex): string => randomHex(BYTES);

/** The one id a trusted peer gave, if it is sane. */
export function givenRequestId(said: RawHeaders): string | undefined {
  const ids = valuesOf(said, 'x-request-id');
  return ids.length === 1 && SANE.test(ids[0] as string) ? ids[0] : undefined;
}

// Kept on the answer itself, so that whoever has to refuse a request later need not be handed its id.
const ID = Symbol('request id');
type Tagged = { [ID]?: string };

export const tagAnswer = (answer: object, requestId: string): void =>
  void ((answer as Tagged)[ID] = requestId);
export const requestIdOf = (answer: object): string | undefined => (answer as Tagged)[ID];
