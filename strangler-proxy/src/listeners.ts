import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, type Plan, type StranglerError, urlOf } from '@strangler/contracts';
import { portUnavailable } from './errors.js';
import { countConnections } from './count-connections.js';
import { guardConnections, type Refusers, serverLimits } from './guard-connections.js';
import { holdContinue } from './expect-continue.js';
import type { TlsPair } from './tls-files.js';
import { createTlsListener } from './tls-listener.js';
import { wantsUpgrade } from './wants-upgrade.js';

/** Where clients come in. */
export type Listeners = {
  /** By name: `proxy`, and `tls` where the plan has it. Throws PROXY_PORT_UNAVAILABLE. */
  listen(): Promise<Readonly<Record<string, string>>>;
  /** Takes nothing new, waits for `idle`, and ends what is left. */
  stop(idle: Promise<unknown>): Promise<void>;
};

export type ListenersOptions = {
  readonly plan: Pick<Plan, 'proxy' | 'folder'>;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly onTlsPair: (pair: TlsPair | StranglerError) => void;
  /** Gets the server of HTTP/1.1, to put the express lane before it. */
  readonly onServer: (http: Server) => void;
} & Refusers;

const HIGH_WATER_BYTES = 131_072;
const SWEEP_MS = 50;

/** The servers of a plan, not listening yet. Throws PROXY_TLS_INVALID. */
export async function createListeners(options: ListenersOptions): Promise<Listeners> {
  const { plan, onRequest, onUpgrade, onTlsPair, onServer } = options;
  const { tls, limits } = plan.proxy;
  const count = countConnections(limits, options.onRefused);
  const http = createServer({
    ...serverLimits(limits),
    // What may wait in memory for a slow client or upstream; with less, an answer of 100 KiB stops and starts on its way.
    highWaterMark: HIGH_WATER_BYTES,
    // RFC 9110, 7.8: by HTTP/1.0 nobody can ask for it; what claims another version is refused as a request.
    shouldUpgradeCallback: (request) => request.httpVersion === '1.1' && wantsUpgrade(request) !== undefined,
  });
  // Each legacy that a plan has had leaves a listener.
  http.setMaxListeners(0);
  // The lane takes the place of what Node does with a connection; every connection is counted, whichever lane it goes.
  onServer(http);
  count(http);
  http.on('request', guardConnections(http, limits, options)(onRequest));
  http.on('upgrade', onUpgrade);
  if (plan.proxy.expectContinue === 'upstream')
    http.on('checkContinue', (request, response) => {
      holdContinue(request, response);
      http.emit('request', request, response);
    });
  const secure =
    tls &&
    (await createTlsListener({
      folder: plan.folder,
      tls,
      http,
      onRequest,
      onPair: onTlsPair,
      limits,
    }));
  if (secure) count(secure.server);
  return {
    async listen(): Promise<Record<string, string>> {
      const proxy = await listenOn(http, plan.proxy.listen);
      if (!secure || !tls) return { proxy };
      return { proxy, tls: (await listenOn(secure.server, tls.listen)).replace('http:', 'https:') };
    },
    async stop(idle) {
      const closed = new Promise((done) => http.close(done));
      secure?.drain();
      // A connection whose answer was on its way when the stop came is idle only after it.
      const sweep = setInterval(() => http.closeIdleConnections(), SWEEP_MS);
      await idle;
      clearInterval(sweep);
      http.closeAllConnections();
      secure?.close();
      await closed;
    },
  };
}

/** Resolves to the URL; PROXY_PORT_UNAVAILABLE when somebody else has the address. Workers share what is not `exclusive`. */
export async function listenOn(
  server: Server | NetServer,
  address: Address,
  exclusive = false,
): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(portUnavailable(`${address.host}:${address.port}`, error)));
    server.listen({ ...address, exclusive }, done);
  });
  return urlOf({ host: address.host, port: (server.address() as AddressInfo).port });
}
