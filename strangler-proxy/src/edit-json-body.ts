import { Transform } from 'node:stream';
import type { JsonEdits } from '@strangler/contracts';
import { editJson } from './edit-json.js';
import { transformFailed } from './errors.js';

/** Takes a JSON body piece by piece and gives the edited one in one piece; fails when it is too large or no JSON. */
export function editJsonBody(edits: JsonEdits, maxBytes: number, upstream: string): Transform {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) return done(transformFailed(upstream, `it has more than ${maxBytes} bytes`));
      chunks.push(chunk);
      done();
    },
    flush(done) {
      // An answer to HEAD, or an empty one.
      if (bytes === 0) return done();
      let edited: Buffer;
      try {
        edited = Buffer.from(editJson(Buffer.concat(chunks).toString('utf8'), edits));
      } catch {
        return done(transformFailed(upstream, 'it is not the JSON it says it is'));
      }
      done(null, edited);
    },
  });
}
