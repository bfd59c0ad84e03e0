import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type Plan, type RequestLimits, StranglerError } from '@strangler/contracts';
import { fitAnswer } from './http2-answer.js';
import { readTlsPair, type TlsPair, watchTlsPair } from './tls-files.js';

export type TlsListener = {
  /** Not listening yet. */
  readonly server: TlsServer;
  /** Tells clients of HTTP/2 to send nothing new (GOAWAY); what is on its way goes on. */
  drain(): void;
  /** Ends what is left. */
  close(): void;
};

export type TlsListenerOptions = {
  readonly folder: string;
  readonly tls: NonNullable<Plan['proxy']['tls']>;
  /** Gets the connections that speak HTTP/1.1: limits, timeouts and upgrades are the same with TLS and without. */
  readonly http: Server;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onPair: (pair: TlsPair | StranglerError) => void;
  readonly limits: Pick<RequestLimits, 'headBytes' | 'headMs' | 'idleMs'>;
};

const HANDSHAKE_MS = 10_000;
// As nginx and HAProxy do by default (http2_max_concurrent_streams 128, tune.h2.max-concurrent-streams 100).
const CONCURRENT_STREAMS = 128;
// Cookies come in crumbs, each a header of its own.
const HEADER_PAIRS = 512;
// In megabytes; node:http2 refuses streams that need more.
const SESSION_MEMORY = 10;
// Rapid reset (CVE-2023-44487): a thousand at once and 33 a second, then the session ends. The defaults of node:http2.
const RESETS = { streamResetBurst: 1_000, streamResetRate: 33 };

/** TLS with ALPN: HTTP/2 is spoken here, HTTP/1.1 by the plain server. PROXY_TLS_INVALID when the files are not right. */
export async function createTlsListener(options: TlsListenerOptions): Promise<TlsListener> {
  const { folder, tls, http, onRequest, onPair } = options;
  const { headBytes, headMs, idleMs } = options.limits;
  const { minVersion, alpn } = tls;
  const pair = await readTlsPair(folder, tls);
  if (pair instanceof StranglerError) throw pair;
  onPair(pair);

  const http2 = createHttp2Server({
    maxSessionMemory: SESSION_MEMORY,
    maxHeaderListPairs: HEADER_PAIRS,
    // An upstream that sends a header twice is passed on as it is, as over HTTP/1.1.
    strictSingleValueFields: false,
    settings: { maxConcurrentStreams: CONCURRENT_STREAMS, maxHeaderListSize: headBytes },
    ...RESETS,
  } as Parameters<typeof createHttp2Server>[0]);
  http2.on('request', (request, response) =>
    onRequest(request as unknown as IncomingMessage, fitAnswer(response)),
  );
  const sessions = new Set<ServerHttp2Session>();
  let isDraining = false;
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    if (isDraining) session.close();
    let open = 0;
    session.on('stream', (stream) => {
      open++;
      stream.once('close', () => open--);
    });
    // A stream may pause as long as its upstream likes (server-sent events); a session without streams may not.
    session.setTimeout(idleMs, () => (open === 0 ? session.close() : session.setTimeout(idleMs)));
  });
  http2.on('sessionError', () => {});

  const sockets = new Set<Socket>();
  const context = ({ cert, key }: TlsPair) => ({ cert, key, minVersion });
  const server = createTlsServer({
    ...context(pair),
    ALPNProtocols: [...alpn],
    handshakeTimeout: Math.min(HANDSHAKE_MS, headMs),
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    (socket.alpnProtocol === 'h2' ? http2 : http).emit('connection', socket);
  });
  // Somebody who speaks no TLS, or none that is allowed: the connection is over and nobody else is concerned.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const watching = watchTlsPair(folder, tls, pair, (next) => {
    if (!(next instanceof StranglerError)) server.setSecureContext(context(next));
    onPair(next);
  });
  return {
    server,
    drain() {
      isDraining = true;
      watching.stop();
      server.close();
      for (const session of sessions) session.close();
    },
    close() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}
