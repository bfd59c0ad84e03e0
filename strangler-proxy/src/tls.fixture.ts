import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export type Certificate = { readonly cert: string; readonly private: string };

/** A certificate for shop.test, signed by itself. */
export const certify = async (days = 2): Promise<Certificate> =>
  generate([{ name: 'commonName', value: 'shop.test' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 9 * 86_400_000),
    notAfterDate: new Date(Date.now() + days * 86_400_000),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'shop.test' }] }],
  });

/** Replaces both files by renaming, one after the other. */
export async function putCertificate(folder: string, { cert, private: key }: Certificate): Promise<void> {
  for (const [name, text] of [
    ['cert.pem', cert],
    ['key.pem', key],
  ] as const) {
    await writeFile(join(folder, `${name}.new`), text);
    await rename(join(folder, `${name}.new`), join(folder, name));
  }
}

/** A client that trusts that certificate and asks for shop.test. */
export function http2Client(url: string, { cert }: Certificate): ClientHttp2Session {
  const session = connect(url, { ca: cert, servername: 'shop.test' });
  session.on('error', () => {});
  return session;
}

export type Answered = {
  readonly headers: IncomingHttpHeaders & { ':status'?: number };
  readonly body: string;
};

export async function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  const [headers] = (await once(stream, 'response')) as [Answered['headers']];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  // A stream that was reset ends its reading without an error.
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error(`reset with ${stream.rstCode}`);
  return { headers, body: Buffer.concat(chunks).toString('latin1') };
}

/** One exchange with shop.test. */
export async function ask(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answered> {
  const stream = session.request(
    { ':path': path, ':authority': 'shop.test', ...headers },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}
