import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import type { Attempt, Outcome } from './attempt.js';
import { carryByGrpc } from './carry-by-grpc.js';
import { upstreamReset, upstreamTimeout } from './errors.js';
import { failureOf } from './failure-of.js';
import { headerObject, withHost } from './headers.js';
import type { Instance, Settle } from './instance.js';
import type { Grpc } from './open-grpc.js';
import { type Ongoing, undiciTransport } from './undici-transport.js';
import type { Upstream } from './upstreams.js';
import { wantsUpgrade } from './wants-upgrade.js';

export type Forward = {
  /** Sends the request to the attempt's upstream and the answer to the client. Never throws. */
  web(attempt: Attempt): Promise<Outcome>;
  /** Joins a client that wants to speak another protocol (WebSocket) with legacy. */
  upgrade(request: IncomingMessage, accepted: Accepted, socket: Duplex, head: Buffer): void;
};

// Kept on the request itself: nothing is looked up by it, and they go with it.
const ONGOING = Symbol('ongoing');
const TARGET = Symbol('target');
const PROTOCOL = Symbol('protocol');
const JOINING = Symbol('joining');
type Joining = { readonly instance: Instance; readonly settle: Settle };
type Carried = IncomingMessage & {
  [ONGOING]?: Ongoing;
  [TARGET]?: string;
  [PROTOCOL]?: string;
  [JOINING]?: Joining;
};

/** http-proxy-middleware, with undici's pools for plain requests and its own way for upgrades. */
export function createForward(
  legacy: Upstream,
  onUpgradeError: (socket: Socket, error: StranglerError) => void,
  grpc: Grpc,
): Forward {
  // What is the same for all of its instances.
  const { url, tls, servername } = legacy.instances()[0] as Instance;
  const middleware = createProxyMiddleware({
    target: url,
    // Plain requests never get as far as to need it: the transport sends them.
    router: (request: Carried) => (request[JOINING] ? placeOf(request[JOINING].instance) : url),
    // httpxy writes into what it is given here: all that differs between upgrades it writes anew.
    ...(tls && { ssl: { ...tls, servername }, secure: tls.rejectUnauthorized }),
    // http-proxy-middleware reads request.url as a WHATWG URL and refuses what that does not understand ("//"), so it is
    // given "/" to read and takes the target, byte for byte, from here.
    pathRewrite: (_path, request: Carried) => request[TARGET],
    ejectPlugins: true,
    upgradeTimeout: legacy.timeouts.headMs,
    plugins: [
      undiciTransport((request: Carried) => request[ONGOING] as Ongoing),
      (proxy) =>
        void proxy.on('error', (error, request, response) => {
          if (!(response instanceof Socket)) return;
          (request as Carried)[JOINING]?.settle(response.destroyed ? 'abandoned' : 'failed');
          onUpgradeError(response, upgradeFailure(error, legacy));
        }),
      // httpxy joins the two connections by pipes, and a pipe does not carry on that one side was destroyed.
      (proxy) =>
        void proxy.on('proxyReqWs', (toLegacy, request: Carried, client) => {
          const settle = request[JOINING]?.settle;
          // httpxy takes no other protocol than WebSocket, so that is what it is told.
          toLegacy.setHeader('Upgrade', request[PROTOCOL] ?? 'websocket');
          client.once('close', () => {
            settle?.('abandoned');
            toLegacy.destroy();
          });
          toLegacy.once('response', ({ statusCode, headers }) => {
            settle?.('answered', statusCode);
            // RFC 9110, 15.5.22: a 426 says by Upgrade what is required. httpxy strikes the name in lower case out of refusals.
            if (statusCode === 426) headers['Upgrade'] = headers.upgrade;
          });
          toLegacy.once('upgrade', (_response, joined: Socket) => {
            settle?.('answered', 101);
            client.once('close', () => joined.destroy());
            joined.once('close', () => client.destroySoon());
          });
        }),
    ],
  });
  return {
    web(attempt) {
      const { route } = attempt;
      if (route?.grpc) return carryByGrpc({ ...attempt, route }, grpc);
      return new Promise((settle) => {
        const { response, accepted, upstream } = attempt;
        const request: Carried = attempt.request;
        request[ONGOING] = { attempt, settle };
        request[TARGET] = accepted.target;
        request.url = '/';
        const fail = (error?: unknown) =>
          settle({ kind: 'failed', error: upstreamReset(upstream.name, error) });
        middleware(request, response, fail).catch(fail);
      });
    },
    upgrade(request: Carried, accepted, socket, head) {
      const instance = legacy.choose();
      request[JOINING] = { instance, settle: instance.begin() };
      request[TARGET] = accepted.target;
      request[PROTOCOL] = wantsUpgrade(request) ?? 'websocket';
      request.url = '/';
      request.headers = {
        ...headerObject(withHost(accepted.headers, instance.hostHeader)),
        connection: 'Upgrade',
        upgrade: 'websocket',
      };
      middleware.upgrade(request, socket as Socket, head);
    },
  };
}

/** An object, because the host of a URL has brackets around an IPv6 address, which node:http would take for a name. */
const placeOf = ({ url, host, port }: Instance) => ({
  protocol: url.protocol,
  hostname: host,
  host,
  port: String(port),
});

function upgradeFailure(error: Error, legacy: Upstream): StranglerError {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (/timed? ?out/i.test(`${code} ${error.message}`) && syscall !== 'connect')
    return upstreamTimeout(legacy.name, legacy.timeouts.headMs);
  const isSent = syscall !== 'connect' && syscall !== 'getaddrinfo';
  return failureOf(error, isSent ? 'sent' : 'not-sent', legacy);
}
