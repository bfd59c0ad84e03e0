import type { IncomingMessage } from 'node:http';
import { StranglerError } from '@strangler/contracts';

const MAX_BODY = 65_536;

/** The JSON object of a POST. Throws METHOD_NOT_ALLOWED, CONTENT_TYPE and BODY_INVALID. */
export async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  if (request.method !== 'POST') throw new StranglerError('METHOD_NOT_ALLOWED', 405, 'this is asked by POST');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new StranglerError('CONTENT_TYPE', 415, 'a POST needs the header "content-type: application/json"');
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_BODY) break;
  }
  try {
    const body: unknown = JSON.parse(text);
    if (body !== null && typeof body === 'object') return body as Record<string, unknown>;
  } catch {
    // Told below, as for a body of another shape.
  }
  throw new StranglerError('BODY_INVALID', 400, 'the body is not a JSON object');
}
