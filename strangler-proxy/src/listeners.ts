import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Address, type Plan, type StranglerError, urlOf } from '@strangler/contracts';
import { portUnavailable } from './errors.js';
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
};

const MAX_HEADER_BYTES = 65_536;
// Longer than the idle time of usual load balancers, so that it is they who close a connection.
const CLIENT_KEEP_ALIVE_MS = 65_000;
const HIGH_WATER_BYTES = 131_072;
const SWEEP_MS = 50;

/** The servers of a plan, not listening yet. Throws PROXY_TLS_INVALID. */
export async function createListeners(options: ListenersOptions): Promise<Listeners> {
  const { plan, onRequest, onUpgrade, onTlsPair, onServer } = options;
  const { tls } = plan.proxy;
  const http = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: CLIENT_KEEP_ALIVE_MS,
    // An upload may take as long as it needs; a head may not.
    requestTimeout: 0,
    // What may wait in memory for a slow client or upstream; with less, an answer of 100 KiB stops and starts on its way.
    highWaterMark: HIGH_WATER_BYTES,
    shouldUpgradeCallback: (request) => wantsUpgrade(request) !== undefined,
  });
  // Each legacy that a plan has had leaves a listener.
  http.setMaxListeners(0);
  http.on('request', onRequest);
  http.on('upgrade', onUpgrade);
  if (plan.proxy.expectContinue === 'upstream')
    http.on('checkContinue', (request, response) => {
      holdContinue(request, response);
      http.emit('request', request, response);
    });
  onServer(http);
  const secure =
    tls &&
    (await createTlsListener({
      folder: plan.folder,
      tls,
      http,
      onRequest,
      onPair: onTlsPair,
      maxHeaderBytes: MAX_HEADER_BYTES,
      idleMs: CLIENT_KEEP_ALIVE_MS,
    }));
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

/** Resolves to the URL; PROXY_PORT_UNAVAILABLE when somebody else has the address. */
export async function listenOn(server: Server | NetServer, address: Address): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(portUnavailable(`${address.host}:${address.port}`, error)));
    server.listen({ ...address }, done);
  });
  return urlOf({ host: address.host, port: (server.address() as AddressInfo).port });
}
