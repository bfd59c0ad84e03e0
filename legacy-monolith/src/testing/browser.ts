/** A client of one person: keeps cookies, follows no redirect, sends the token of its session with everything. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrf = '';

  constructor(private readonly url: string) {}

  async send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    if (this.csrf && !headers.has('x-csrf-token')) headers.set('x-csrf-token', this.csrf);
    const response = await fetch(this.url + path, { redirect: 'manual', ...init, method, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  get(path: string): Promise<Response> {
    return this.send('GET', path);
  }

  json(method: string, path: string, body: unknown = {}): Promise<Response> {
    return this.send(method, path, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  /** As a browser does: the token comes from the page, in a field. */
  form(path: string, fields: Record<string, string>): Promise<Response> {
    const csrf = this.csrf;
    this.csrf = '';
    return this.send('POST', path, { body: new URLSearchParams(fields) }).finally(() => (this.csrf = csrf));
  }

  async logIn(email: string, password: string): Promise<this> {
    this.csrf = (await json<{ token: string }>(this.get('/api/csrf'))).token;
    const answer = json<{ csrf: string }>(this.json('POST', '/api/login', { email, password }));
    this.csrf = (await answer).csrf;
    return this;
  }
}

/** The body of an answer that has this status; any other is an error that shows it. */
export async function json<T>(response: Promise<Response>, status = 200): Promise<T> {
  const answer = await response;
  if (answer.status !== status)
    throw new Error(`"${answer.url}" answered ${answer.status}, not ${status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** The token in the first form of a page. */
export const tokenOf = (page: string): string => /name="_csrf" value="([0-9a-f]{32})"/.exec(page)?.[1] ?? '';
