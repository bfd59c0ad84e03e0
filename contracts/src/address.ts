/** Where a program listens. Port 0 means: any free one. */
export type Address = { readonly host: string; readonly port: number };

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`; undefined when the text is no address. A port alone binds to loopback. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  const port = Number(match[2]);
  if (port > 65_535) return undefined;
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

/** The URL a client on the same machine reaches the address by. */
export function urlOf(address: Address): string {
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
