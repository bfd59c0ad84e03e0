import type { IncomingMessage, ServerResponse } from 'node:http';
import { guardAdmin } from '@strangler/contracts';

const refuse = (response: ServerResponse, status: number, code: string, message: string) => {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...challenge });
  response.end(JSON.stringify({ code, message }));
};

/**
 * What all admin ports ask for, and besides: a page in an operator's browser can post forms anywhere, so a POST has to be
 * JSON, which a form cannot send.
 */
export const adminGuard = (address: string, token: string | undefined) => {
  const guard = guardAdmin(address, token);
  return (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const { host, authorization } = request.headers;
    const refusal = guard({ target: request.url ?? '/', host, authorization });
    if (refusal) return refuse(response, refusal.status, refusal.code, refusal.message);
    if (request.method === 'POST' && !/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refuse(
        response,
        415,
        'CONTENT_TYPE_REFUSED',
        `content type "${request.headers['content-type'] ?? ''}" is not taken: send application/json`,
      );
    next();
  };
};
