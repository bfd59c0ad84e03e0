import type { IncomingMessage } from 'node:http';

/** The whole body, or undefined when it is larger than the limit; the rest is then read away. Waits for ever on a client that has left. */
export function readWhole(
  request: IncomingMessage,
  maxBytes: number,
  onProgress: () => void,
): Promise<Buffer | undefined> {
  return new Promise((done) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer) => {
      onProgress();
      bytes += chunk.length;
      if (bytes <= maxBytes) return void chunks.push(chunk);
      request.off('data', take).resume();
      done(undefined);
    };
    request.on('error', () => {});
    request.on('data', take);
    request.once('end', () => done(Buffer.concat(chunks)));
  });
}
