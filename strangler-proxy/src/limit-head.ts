import type { RequestLimits, StranglerError } from '@strangler/contracts';
import type { RequestHead } from './accept.js';
import { headTooLarge, targetTooLong } from './errors.js';

// What a line of HTTP/1.1 has besides its name and value: ": " and the end of the line.
const LINE_BYTES = 4;

/** Why the head of a request is refused for its size. Of HTTP/1.1 the parser has counted all bytes already; node:http2 only tells clients how many it wants. */
export function limitHead(
  { url, rawHeaders, protocol }: Pick<RequestHead, 'url' | 'rawHeaders' | 'protocol'>,
  { headBytes, headers, targetBytes }: Pick<RequestLimits, 'headBytes' | 'headers' | 'targetBytes'>,
): StranglerError | undefined {
  if (url.length > targetBytes) return targetTooLong(targetBytes);
  if (rawHeaders.length > headers * 2) return headTooLarge(`${headers} header lines`, 'headers');
  if (protocol === '2') {
    const lines = (rawHeaders.length / 2) * LINE_BYTES;
    const bytes = rawHeaders.reduce((total, text) => total + text.length, url.length + lines);
    if (bytes > headBytes) return headTooLarge(`${headBytes} bytes`, 'headBytes');
  }
  return undefined;
}
