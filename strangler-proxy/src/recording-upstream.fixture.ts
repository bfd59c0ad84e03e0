import type { Socket } from 'node:net';
import type { Rig } from './proxy.fixture.js';

/** A request as it lay on the wire, read so strictly that no other server could read it otherwise. */
export type WireRequest = { readonly head: string; readonly line: string };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Reads the requests from the front of the bytes. What has two meanings, or one that is not in RFC 9112's own grammar, is told as
 * `malformed`: a proxy must never have sent it.
 */
export function readWire(bytes: string): {
  readonly requests: readonly WireRequest[];
  readonly rest: string;
  readonly malformed?: string;
} {
  const requests: WireRequest[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return { requests, rest };
    const head = rest.slice(0, end);
    const [first = '', ...fields] = head.split('\r\n');
    const line = /^([A-Z-]+) (\/[\x21-\xff]*) HTTP\/1\.1$/.exec(first);
    if (!line || /[\0\r\n]/.test(head.replaceAll('\r\n', ''))) return { requests, rest, malformed: head };
    const values = new Map<string, string[]>();
    for (const field of fields) {
      const colon = field.indexOf(':');
      const name = field.slice(0, colon);
      // oxlint-disable-next-line no-control-regex -- what must not be there
      if (!TOKEN.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(field))
        return { requests, rest, malformed: field };
      const key = name.toLowerCase();
      values.set(key, [...(values.get(key) ?? []), field.slice(colon + 1).trim()]);
    }
    const [lengths = [], codings = []] = [values.get('content-length'), values.get('transfer-encoding')];
    if (values.get('host')?.length !== 1 || lengths.length + codings.length > 1)
      return { requests, rest, malformed: head };
    const after = rest.slice(end + 4);
    let body = '';
    if (codings.length === 1) {
      const whole = /^((?:[1-9a-f][0-9a-f]*\r\n[^]*?\r\n)*?)0\r\n\r\n/i.exec(after);
      if (codings[0]?.toLowerCase() !== 'chunked') return { requests, rest, malformed: head };
      if (!whole) return { requests, rest };
      for (let [, left = ''] = whole; left !== '';) {
        const [size = ''] = left.split('\r\n', 1);
        const from = size.length + 2;
        body += left.slice(from, from + Number.parseInt(size, 16));
        left = left.slice(from + Number.parseInt(size, 16) + 2);
      }
      rest = after.slice(whole[0].length);
    } else {
      const [length = '0'] = lengths;
      if (!/^\d+$/.test(length)) return { requests, rest, malformed: head };
      if (after.length < Number(length)) return { requests, rest };
      body = after.slice(0, Number(length));
      rest = after.slice(Number(length));
    }
    requests.push({ head, line: `${line[1]} ${line[2]} ${body}` });
  }
}

/** An upstream that writes down every byte, reads it strictly and answers each request with its own request line. */
export async function recordingUpstream(rig: Pick<Rig, 'tcpServer'>, answer = echo) {
  const seen = {
    requests: [] as WireRequest[],
    /** Bytes that were no request, by connection. */
    rests: new Map<Socket, string>(),
    malformed: [] as string[],
    connections: 0,
  };
  const { url, sockets } = await rig.tcpServer((socket) => {
    seen.connections++;
    socket.on('data', (chunk) => {
      const { requests, rest, malformed } = readWire(
        (seen.rests.get(socket) ?? '') + chunk.toString('latin1'),
      );
      seen.rests.set(socket, rest);
      for (const request of requests) {
        seen.requests.push(request);
        answer(socket, request);
      }
      if (malformed === undefined) return;
      seen.malformed.push(malformed);
      socket.destroy();
    });
  });
  return { url, seen, sockets };
}

function echo(socket: Socket, { line }: WireRequest): void {
  const isHead = line.startsWith('HEAD ');
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${line.length}\r\n\r\n${isHead ? '' : line}`, 'latin1');
}
