import { createHash } from 'node:crypto';
import type { createRig } from './proxy.fixture.js';
import { flagsText } from './proxy.fixture.js';

export const TOKEN = 'default:development.secret';

/** As much of an Unleash server as a client sees: flags with an ETag, registrations and metrics. */
export async function unleashServer(rig: ReturnType<typeof createRig>, share: number, stickiness?: string) {
  let text = flagsText(share, {}, stickiness);
  let status = 200;
  const asked: { path: string; status: number; appName: string | undefined }[] = [];
  const metrics: { bucket?: { toggles?: Record<string, { yes: number; no: number }> } }[] = [];
  const started = await rig.server((request, response) => {
    const path = request.url ?? '';
    const answer = (code: number, body = '') => {
      asked.push({ path, status: code, appName: request.headers['unleash-appname'] as string | undefined });
      response.statusCode = code;
      response.end(body);
    };
    if (request.headers.authorization !== TOKEN) return answer(401);
    if (status !== 200) return answer(status);
    if (path === '/api/client/features') {
      const etag = `"${createHash('sha1').update(text).digest('hex')}"`;
      response.setHeader('etag', etag).setHeader('content-type', 'application/json');
      return request.headers['if-none-match'] === etag ? answer(304) : answer(200, text);
    }
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (path === '/api/client/metrics') metrics.push(JSON.parse(body) as (typeof metrics)[number]);
      answer(202);
    });
  });
  return {
    url: `${started.url}/api`,
    stop: started.stop,
    asked,
    metrics,
    set(next: number, whole = flagsText(next, {}, stickiness)) {
      text = whole;
    },
    fail(code: number) {
      status = code;
    },
  };
}
