import type { ServerResponse } from 'node:http';
import { endToEnd, type RawHeaders } from './headers.js';

/**
 * Passes an interim answer on (102, 103; RFC 9110, 15.2). 100 is the business of `Expect`, 101 of upgrades, and a client of
 * HTTP/1.0 would take either for the answer itself.
 */
export function inform(response: ServerResponse, status: number, raw: RawHeaders): void {
  if (status <= 101 || response.headersSent || response.destroyed) return;
  if (response.req.httpVersion === '1.0') return;
  response.writeInformation(status, endToEnd(raw));
}
