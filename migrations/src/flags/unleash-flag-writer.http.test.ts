import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Features, noFeatures, withShare } from './features.js';
import { unleashFlagWriter } from './unleash-flag-writer.js';

const FLAG = 'strangler.catalog';
const TOKEN = 'default:development.secret';

describe('flags of an Unleash server', () => {
  let server: Server;
  let features: Features;
  beforeEach(async () => {
    features = withShare(noFeatures(), FLAG, 10);
    server = createServer((request, response) => {
      const isAsked = request.url === '/api/client/features' && request.headers.authorization === TOKEN;
      response.statusCode = isAsked ? 200 : 401;
      response.end(isAsked ? JSON.stringify(features) : '{}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const writer = (token = TOKEN) =>
    unleashFlagWriter({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
      token,
      appName: 'shop',
      environment: 'default',
      refreshMs: 5_000,
    });

  it('say the share that is set there', async () => {
    expect(await writer().share(FLAG)).toBe(10);
    expect(await writer().share('other')).toBe(0);
  });

  it('are agreed to when they have the share already, and else refused with what to do', async () => {
    await writer().maySet(FLAG, 10);
    await writer().setShare(FLAG, 10);
    for (const refused of [writer().maySet(FLAG, 50), writer().setShare(FLAG, 50)])
      await expect(refused).rejects.toMatchObject({
        code: 'SHARE_SET_IN_UNLEASH',
        status: 409,
        message: `flag "${FLAG}" is set in Unleash and is at 10 % there: set it to 50 % in Unleash, nothing was changed here`,
      });
    features = { features: [{ name: FLAG, enabled: true, strategies: [{ name: 'userWithId' }] }] };
    await expect(writer().maySet(FLAG, 50)).rejects.toThrow('has strategies of its own there');
  });

  it('that cannot be read are a sentence without the token', async () => {
    const failed = await writer('wrong-token')
      .share(FLAG)
      .catch((error: unknown) => error as Error);
    expect(failed).toMatchObject({
      code: 'FLAG_SERVER_UNREACHABLE',
      message: expect.stringContaining('status 401'),
    });
    expect((failed as Error).message).not.toContain('wrong-token');
  });
});
