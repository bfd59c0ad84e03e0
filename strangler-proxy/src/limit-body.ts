import { Transform } from 'node:stream';

/** Lets so many bytes pass; with the first one more it tells, once, and passes nothing any more. */
export function limitBody(most: number, onMore: () => void): Transform {
  let left = most;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (left < 0) return done();
      left -= chunk.length;
      if (left >= 0) return done(null, chunk);
      onMore();
      done();
    },
  });
}
