import type { IncomingMessage } from 'node:http';
import { ADMIN_PORT_HEADER, urlOf } from '@strangler/contracts';

/**
 * Where a subscriber shows its evidence: the port it names on the address it asks from. It cannot name an address, so nobody can
 * have the control plane ask others.
 */
export function adminOf({
  headers,
  socket,
}: Pick<IncomingMessage, 'headers' | 'socket'>): string | undefined {
  const told = headers[ADMIN_PORT_HEADER];
  if (typeof told !== 'string' || !/^[1-9]\d{0,4}$/.test(told) || Number(told) > 65_535) return undefined;
  const host = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '');
  return host === undefined ? undefined : urlOf({ host, port: Number(told) });
}
