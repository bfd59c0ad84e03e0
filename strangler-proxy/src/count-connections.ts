import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { RequestLimits, StranglerError } from '@strangler/contracts';
import { clientKeyOf } from './client-key.js';
import { connectionsFull, tooManyConnections } from './errors.js';

/** Keeps the connections of clients to so many, over all servers that are given to what it returns. */
export function countConnections(
  { connections, connectionsPerClient }: Pick<RequestLimits, 'connections' | 'connectionsPerClient'>,
  onRefused: (error: StranglerError) => void,
): (server: Server) => void {
  const open = new Map<string, number>();
  let all = 0;
  const turnAway = (socket: Socket, error: StranglerError): void => {
    onRefused(error);
    socket.destroy();
  };
  const count = (socket: Socket): void => {
    // The server for TLS hands its connections on to the other one, and has counted them.
    if (socket instanceof TLSSocket) return;
    if (connections !== undefined && all >= connections) return turnAway(socket, connectionsFull());
    const key = clientKeyOf(socket.remoteAddress ?? '');
    const mine = open.get(key) ?? 0;
    if (connectionsPerClient !== undefined && mine >= connectionsPerClient)
      return turnAway(socket, tooManyConnections());
    all++;
    open.set(key, mine + 1);
    socket.once('close', () => {
      all--;
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  };
  return (server) => {
    if (connections !== undefined || connectionsPerClient !== undefined) server.on('connection', count);
  };
}
