import type { IncomingMessage, ServerResponse } from 'node:http';

// RFC 9110, 10.1.1: a client must not wait for ever, and some do. Long enough for an upstream to refuse first.
const PATIENCE_MS = 1_000;

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * The client has sent its head and holds its body back until somebody asks for it. Answered without having been asked, it may
 * send the body or not: Node closes such a connection, because nothing after the head could be read with certainty.
 */
export function holdContinue(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

export const awaitsContinue = (request: IncomingMessage): boolean => waiting.has(request);

/** Asks for the body; a second time, or for a client that does not wait, it does nothing. */
export function sendContinue(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (!response || !waiting.delete(request) || response.headersSent || response.destroyed) return;
  response.writeContinue();
}

/** An upstream that knows nothing of `Expect` neither asks nor refuses: then the proxy asks. Gives what ends the wait. */
export function askInTheEnd(request: IncomingMessage): () => void {
  const timer = setTimeout(() => sendContinue(request), PATIENCE_MS);
  return () => clearTimeout(timer);
}
