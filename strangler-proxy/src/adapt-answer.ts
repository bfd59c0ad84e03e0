import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StranglerError } from '@strangler/contracts';
import type { Adaptation } from './adapt.js';
import type { Answer } from './compare.js';
import { headerObject } from './headers.js';

/** What a client would have got of a whole, decoded answer: what cannot be adapted would have been a 502. */
export async function adaptAnswer(answer: Answer, { answer: adapted }: Adaptation): Promise<Answer> {
  const { 'content-encoding': _undone, ...given } = answer.headers;
  const result = adapted(answer.status, Object.entries(given).flat());
  if (result instanceof StranglerError) return failed(result);
  const headers = headerObject(result.headers);
  if (result.stages.length === 0) return { ...answer, headers };
  const chunks: Buffer[] = [];
  try {
    await pipeline([
      Readable.from([answer.body]),
      ...result.stages,
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      }),
    ]);
  } catch (error) {
    if (error instanceof StranglerError) return failed(error);
    throw error;
  }
  return { status: answer.status, headers, body: Buffer.concat(chunks) };
}

const failed = ({ status, message }: StranglerError): Answer => ({
  status,
  headers: {},
  body: Buffer.from(message),
});
