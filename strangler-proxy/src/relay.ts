import type { ServerResponse } from 'node:http';
import { isEventStream, type Capture } from './capture.js';
import { endToEnd, type RawHeaders, valuesOf } from './headers.js';
import { inform } from './inform.js';
import { announcedIn, trailersOf } from './trailers.js';

/** The way of an answer to the client. */
export type Relay = {
  /** An answer before the answer: 102, 103. */
  inform(status: number, raw: RawHeaders): void;
  head(status: number, message: string | undefined, raw: RawHeaders): void;
  /** False when the client does not keep up: wait for `drained`. */
  data(chunk: Buffer): boolean;
  drained(resume: () => void): void;
  /** `done` is called when all of the answer is handed over. */
  end(trailers: RawHeaders, done: () => void): void;
  /** Of the body, so far. */
  bytes(): number;
  /** The attempt is over without an end: nothing that is held may go out any more. */
  drop(): void;
};

export type RelayOptions = {
  readonly hold: boolean;
  readonly setCookies: Iterable<string>;
  readonly ownHeaders?: RawHeaders;
  readonly capture?: Capture | undefined;
  readonly onHead?: ((raw: RawHeaders) => void) | undefined;
};

export const HELD_BYTES = 65_536;
// A service that sends slowly but sends must not keep its client waiting for the first 64 KiB.
export const HELD_MS = 1_000;

// A head and a body of this size go out as one text in one call of the system; Node copies a longer text once more.
export const WHOLE_BYTES = 12_288;

/** Passes an answer on as it comes; with `hold`, its first 64 KiB (or its first second) go out together, or not at all. */
export function createRelay(
  response: ServerResponse,
  { hold, setCookies, ownHeaders = [], capture, onHead }: RelayOptions,
): Relay {
  let held: Buffer[] | undefined = hold ? [] : undefined;
  let heldBytes = 0;
  let bytes = 0;
  let writeHead = () => {};
  let timer: NodeJS.Timeout | undefined;
  let declared: number | undefined;
  /** A body that came whole and is small: it waits for the end, which follows at once, to go out together with the head. */
  let whole: Buffer | undefined;
  const release = (): boolean => {
    clearTimeout(timer);
    const chunks = held ?? [];
    held = undefined;
    if (response.destroyed) return false;
    writeHead();
    return chunks.reduce((flowing, chunk) => response.write(chunk) && flowing, true);
  };
  return {
    inform: (status, raw) => inform(response, status, raw),
    head(status, message, raw) {
      onHead?.(raw);
      const headers = endToEnd(raw);
      headers.push(...ownHeaders);
      const announced = announcedIn(raw);
      if (announced !== undefined && canHaveTrailers(response, status, headers))
        headers.push('Trailer', announced);
      for (const cookie of setCookies) headers.push('Set-Cookie', cookie);
      capture?.head(status, headers);
      declared = lengthOf(headers);
      // Node throws at a reason phrase it could not write again.
      const phrase = /^[\t\x20-\x7e\x80-\xff]*$/.test(message ?? '') ? message : undefined;
      writeHead = () => void response.writeHead(status, phrase, headers);
      if (!held) writeHead();
      else if (isEventStream(valuesOf(headers, 'content-type')[0])) release();
      else timer = setTimeout(release, HELD_MS);
    },
    data(chunk) {
      capture?.data(chunk);
      bytes += chunk.length;
      if (chunk.length === declared && chunk.length <= WHOLE_BYTES) {
        whole = chunk;
        return true;
      }
      if (!held) return response.write(chunk);
      held.push(chunk);
      heldBytes += chunk.length;
      return heldBytes < HELD_BYTES || release();
    },
    drained: (resume) => void response.once('drain', resume),
    end(trailers, done) {
      if (held) release();
      if (trailers.length > 0) response.addTrailers([...trailersOf(trailers)] as [string, string][]);
      if (whole === undefined || response.destroyed) response.end();
      else response.end(whole.toString('latin1'), 'latin1');
      done();
    },
    bytes: () => bytes,
    drop: () => clearTimeout(timer),
  };
}

function lengthOf(headers: RawHeaders): number | undefined {
  const [length] = valuesOf(headers, 'content-length');
  return length === undefined ? undefined : Number(length);
}

/** Only a body in chunks ends with trailers; Node throws at an announcement in front of another one. */
const canHaveTrailers = ({ req }: ServerResponse, status: number, headers: RawHeaders): boolean =>
  req.method !== 'HEAD' &&
  req.httpVersion !== '1.0' &&
  status !== 204 &&
  status !== 304 &&
  lengthOf(headers) === undefined;
