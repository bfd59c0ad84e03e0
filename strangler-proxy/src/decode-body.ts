import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

type Decoder = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;
const decoders: Readonly<Record<string, Decoder>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
  // RFC 9110, 8.4.1.2: some senders leave the zlib wrapper out.
  deflate: (body, options) =>
    promisify(inflate)(body, options).catch(() => promisify(inflateRaw)(body, options)),
};

export type Decoded =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly reason: 'encoding' | 'too-large' };

/** Undoes `content-encoding`, at most to `limit` bytes, so that a small answer cannot become a huge one. */
export async function decodeBody(
  body: Buffer,
  encoding: string | undefined,
  limit: number,
): Promise<Decoded> {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '' || body.length === 0) return { ok: true, body };
  const decode = decoders[name];
  if (!decode) return { ok: false, reason: 'encoding' };
  try {
    return { ok: true, body: await decode(body, { maxOutputLength: limit }) };
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { ok: false, reason: isTooLarge ? 'too-large' : 'encoding' };
  }
}
