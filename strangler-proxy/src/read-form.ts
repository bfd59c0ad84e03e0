import type { IncomingMessage } from 'node:http';

// What carries more is an upload, and those have a header for their token.
const MAX_BYTES = 65_536;
const FORM = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/**
 * The body of a urlencoded form that is needed before it goes on; undefined when it is another kind of body, too large, or the client
 * left. Whoever takes it has to send it: the stream is empty after.
 */
export async function readForm(request: IncomingMessage): Promise<Buffer | undefined> {
  if (!FORM.test(request.headers['content-type'] ?? '')) return undefined;
  if (request.headers['content-encoding'] !== undefined) return undefined;
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BYTES) return undefined;
      chunks.push(chunk as Buffer);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** The one value of a field; undefined when there is none, or two of them. */
export function fieldOf(form: Buffer, name: string): string | undefined {
  const values = new URLSearchParams(form.toString()).getAll(name);
  return values.length === 1 ? values[0] : undefined;
}
