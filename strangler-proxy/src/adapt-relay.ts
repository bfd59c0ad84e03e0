import { PassThrough, pipeline } from 'node:stream';
import { StranglerError } from '@strangler/contracts';
import type { Adaptation } from './adapt.js';
import { transformFailed } from './errors.js';
import type { RawHeaders } from './headers.js';
import type { Relay } from './relay.js';

type AdaptRelay = {
  readonly relay: Relay;
  readonly adaptation: Adaptation;
  readonly upstream: string;
  /** There is no body to work on, whatever the head says. */
  readonly isHead: boolean;
  /** The answer cannot be adapted; nothing of it has been sent unless its head has. */
  readonly fail: (error: StranglerError) => void;
};

/** A relay that adapts what goes through it; the body flows with the back-pressure of the client. */
export function adaptRelay({ relay, adaptation, upstream, isHead, fail }: AdaptRelay): Relay {
  let first: PassThrough | undefined;
  let trailers: RawHeaders = [];
  let over = () => {};
  let isDropped = false;
  const failed = (error: Error) => {
    if (!isDropped) fail(error instanceof StranglerError ? error : transformFailed(upstream, 'it is broken'));
  };

  return {
    inform: (status, raw) => relay.inform(status, adaptation.inform(raw)),
    head(status, message, raw) {
      const answer = adaptation.answer(status, raw);
      if (answer instanceof StranglerError) return failed(answer);
      const { headers, stages, isWhole } = answer;
      if (isHead || stages.length === 0) return relay.head(status, message, headers);
      let hasHead = false;
      const head = (bytes?: number) => {
        if (hasHead) return;
        hasHead = true;
        const length = bytes === undefined ? [] : ['Content-Length', String(bytes)];
        relay.head(status, message, [...headers, ...length]);
      };
      if (!isWhole) head();
      first = new PassThrough();
      const last = stages.at(-1) as (typeof stages)[number];
      last.on('data', (chunk: Buffer) => {
        head(stages.length > 1 && !isWhole ? undefined : chunk.length);
        if (relay.data(chunk)) return;
        last.pause();
        relay.drained(() => last.resume());
      });
      last.on('end', () => {
        head(0);
        relay.end(trailers, () => over());
      });
      pipeline([first, ...stages], (error) => {
        if (error) failed(error);
      });
    },
    data: (chunk) => (first ? first.write(chunk) : relay.data(chunk)),
    drained: (resume) => void (first ? first.once('drain', resume) : relay.drained(resume)),
    end(raw, done) {
      if (!first) return relay.end(raw, done);
      trailers = raw;
      over = done;
      first.end();
    },
    bytes: () => relay.bytes(),
    drop() {
      isDropped = true;
      first?.destroy();
      relay.drop();
    },
  };
}
