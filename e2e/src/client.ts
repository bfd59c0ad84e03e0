import { parseSetCookie } from 'cookie';
import { Agent, request } from 'undici';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => unknown;
};

export type RequestOptions = {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One visitor with cookies of its own, as a browser would keep them. Redirects are not followed. */
export type Client = {
  readonly cookies: Map<string, string>;
  send(method: string, path: string, options?: RequestOptions): Promise<Answer>;
};

const agent = new Agent({ connections: 32, keepAliveTimeout: 4_000 });

/** Lets go of the connections of all clients. */
export const closeClients = () => agent.close();

export function createClient(base: string): Client {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async send(method, path, { json, form, headers = {} } = {}) {
      const body =
        json === undefined ? (form ? new URLSearchParams(form).toString() : undefined) : JSON.stringify(json);
      const type =
        json === undefined ? (form ? 'application/x-www-form-urlencoded' : undefined) : 'application/json';
      const answer = await request(`${base}${path}`, {
        method: method as 'GET',
        dispatcher: agent,
        headers: {
          ...(cookies.size > 0
            ? { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
            : {}),
          ...(type === undefined ? {} : { 'content-type': type }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
        const { name, value, maxAge, expires } = parseSetCookie(line) ?? {};
        if (name === undefined) continue;
        if (
          value === undefined ||
          value === '' ||
          maxAge === 0 ||
          (expires && expires.getTime() <= Date.now())
        )
          cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = await answer.body.text();
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text,
        json: () => JSON.parse(text) as unknown,
      };
    },
  };
}
