import type { RequestLimits, StranglerError } from '@strangler/contracts';
import type { RequestHead } from './accept.js';
import { headTooLarge, targetTooLong } from './errors.js';

/** Why the head of a request is refused for its size. Its bytes as a whole are counted by the parser already. */
export function limitHead(
  { url, rawHeaders }: Pick<RequestHead, 'url' | 'rawHeaders'>,
  { headers, targetBytes }: Pick<RequestLimits, 'headers' | 'targetBytes'>,
): StranglerError | undefined {
  if (url.length > targetBytes) return targetTooLong(targetBytes);
  if (rawHeaders.length > headers * 2) return headTooLarge(`${headers} header lines`, 'headers');
  return undefined;
}
