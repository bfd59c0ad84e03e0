import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import {
  type Address,
  type Explanation,
  guardAdmin,
  type ProxyEvidence,
  reasonOf,
  StranglerError,
} from '@strangler/contracts';
import { methodNotAllowed, pathUnknown } from './errors.js';
import { refuse } from './refuse.js';

export type AdminParts = {
  readonly address: Address;
  readonly token?: string | undefined;
  /** Whether it takes requests; false from the moment it is asked to stop. */
  readonly isReady: () => boolean;
  readonly evidence: () => ProxyEvidence;
  readonly explain: (question: URLSearchParams) => Promise<Explanation>;
  readonly registry: Registry;
  /** Further pages, open to all who reach the port: path and its JSON. */
  readonly pages?: () => Readonly<Record<string, string>>;
};

/** GET /health, /ready, /metrics, /evidence and /explain. It changes nothing. */
export function createAdmin(parts: AdminParts): Server {
  const guard = guardAdmin(parts.address.host, parts.token);
  const answer = async (
    request: IncomingMessage,
  ): Promise<{ status: number; type: string; body: string }> => {
    const json = (value: unknown, status = 200) => ({
      status,
      type: 'application/json',
      body: JSON.stringify(value),
    });
    const { host, authorization } = request.headers;
    const target = request.url as string;
    const query = target.indexOf('?');
    const path = query === -1 ? target : target.slice(0, query);
    const pages = parts.pages?.() ?? {};
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const refusal = guard({ target, host, authorization, isOpen: page !== undefined });
    if (refusal) throw refusal;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw methodNotAllowed(request.method as string);
    switch (path) {
      case '/health':
        return json({ status: 'ok' });
      case '/ready':
        return parts.isReady() ? json({ status: 'ready' }) : json({ status: 'stopping' }, 503);
      case '/evidence':
        return json(parts.evidence());
      case '/explain':
        return json(await parts.explain(new URLSearchParams(query === -1 ? '' : target.slice(query + 1))));
      case '/metrics':
        return { status: 200, type: parts.registry.contentType, body: await parts.registry.metrics() };
      default:
        if (page === undefined) throw pathUnknown(path);
        return { status: 200, type: 'application/json', body: page };
    }
  };
  return createServer((request, response) => {
    void serve();
    async function serve(): Promise<void> {
      try {
        const { status, type, body } = await answer(request);
        response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
        response.end(body);
      } catch (error) {
        refuse(
          response,
          error instanceof StranglerError
            ? error
            : new StranglerError('INTERNAL', 500, reasonOf(error), error),
        );
      }
    }
  });
}
