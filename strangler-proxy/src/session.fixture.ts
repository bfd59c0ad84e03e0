import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCookie } from 'cookie';
import { bodyOf, type createRig } from './proxy.fixture.js';

type Rig = ReturnType<typeof createRig>;
type Session = { id: number; roles: string[]; csrf: string };

/** An application with sessions of the old kind: a random cookie, and a page that says whose it is. */
export async function startLegacy(rig: Rig) {
  const sessions = new Map<string, Session>();
  const state = {
    asked: 0,
    isDown: false,
    /** Called when it has read the session and before it answers. */
    beforeAnswer: async () => {},
    /** Called when a logout has come and before the session ends. */
    beforeLogout: async () => {},
    meCookie: undefined as string | undefined,
    seen: [] as { method: string; path: string; headers: IncomingHttpHeaders }[],
  };
  let last = 0;
  const { url } = await rig.server((request, response) => {
    void (async () => {
      const path = request.url as string;
      const { sid } = parseCookie(request.headers.cookie ?? '');
      const session = sid === undefined ? undefined : sessions.get(sid);
      if (path !== '/api/me')
        state.seen.push({ method: request.method as string, path, headers: request.headers });
      if (path === '/api/me') {
        state.asked++;
        await state.beforeAnswer();
        if (state.isDown) return request.socket.destroy();
        if (state.meCookie !== undefined) response.setHeader('set-cookie', state.meCookie);
        if (!session) return response.writeHead(401).end();
        return response.end(
          JSON.stringify({ id: session.id, roles: session.roles, form: { token: session.csrf } }),
        );
      }
      if (path === '/login') {
        const id = sid ?? `s${++last}`;
        sessions.set(id, { id: 7, roles: ['buyer'], csrf: `csrf of ${id}` });
        if (sid === undefined) response.setHeader('set-cookie', `sid=${id}; Path=/; HttpOnly`);
      } else if (path === '/logout') {
        await state.beforeLogout();
        sessions.delete(sid ?? '');
      } else if (path === '/leave') {
        sessions.delete(sid ?? '');
        response.setHeader('set-cookie', ['theme=dark', 'sid=; Path=/; Max-Age=0']);
      } else if (path === '/prolong') response.setHeader('set-cookie', `sid=${sid}; Path=/; Max-Age=600`);
      response.end('legacy');
    })();
  });
  return { url, sessions, state };
}

/** A service that takes requests as they come and says what it saw. */
export async function startService(rig: Rig) {
  const seen: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  const { url } = await rig.server((request, response) => {
    void (async () => {
      const body = (await bodyOf(request)).toString();
      seen.push({
        method: request.method as string,
        path: request.url as string,
        headers: request.headers,
        body,
      });
      response.end('service');
    })();
  });
  return { url, seen };
}

export async function newKeyFile(folder: string, name: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = join(folder, name);
  await writeFile(
    file,
    createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
      type: 'pkcs8',
      format: 'pem',
    }),
  );
  return file;
}
