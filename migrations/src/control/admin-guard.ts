import type { IncomingMessage, ServerResponse } from 'node:http';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

const refuse = (response: ServerResponse, status: number, code: string, message: string) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ code, message }));
};

/**
 * A page in an operator's browser can send requests to loopback under a name of its own (DNS rebinding) and can post
 * forms anywhere. So loopback answers to loopback names only, and a POST has to be JSON, which a form cannot send.
 */
export const adminGuard =
  (host: string) => (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const named = request.headers.host ?? '';
    if (/^(127\.|::1$|localhost$)/.test(host) && !LOOPBACK.test(named))
      return refuse(
        response,
        403,
        'HOST_REFUSED',
        `host "${named}" is not a name of this machine: ask by 127.0.0.1 or localhost`,
      );
    if (request.method === 'POST' && !/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refuse(
        response,
        415,
        'CONTENT_TYPE_REFUSED',
        `content type "${request.headers['content-type'] ?? ''}" is not taken: send application/json`,
      );
    next();
  };
