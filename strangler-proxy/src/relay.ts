import type { ServerResponse } from 'node:http';
import { isEventStream, type Capture } from './capture.js';
import { endToEnd, type RawHeaders, valuesOf } from './headers.js';

/** The way of an answer to the client. */
export type Relay = {
  head(status: number, message: string | undefined, raw: RawHeaders): void;
  /** False when the client does not keep up: wait for the response's `drain`. */
  data(chunk: Buffer): boolean;
  end(): void;
  /** The attempt is over without an end: nothing that is held may go out any more. */
  drop(): void;
};

export type RelayOptions = {
  readonly hold: boolean;
  readonly setCookies: readonly string[];
  readonly capture?: Capture | undefined;
};

export const HELD_BYTES = 65_536;
// A service that sends slowly but sends must not keep its client waiting for the first 64 KiB.
export const HELD_MS = 1_000;

// A head and a body of this size go out as one text in one call of the system; Node copies a longer text once more.
export const WHOLE_BYTES = 12_288;

/** Passes an answer on as it comes; with `hold`, its first 64 KiB (or its first second) go out together, or not at all. */
export function createRelay(response: ServerResponse, { hold, setCookies, capture }: RelayOptions): Relay {
  let held: Buffer[] | undefined = hold ? [] : undefined;
  let heldBytes = 0;
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
    head(status, message, raw) {
      const headers = endToEnd(raw);
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
      if (chunk.length === declared && chunk.length <= WHOLE_BYTES) {
        whole = chunk;
        return true;
      }
      if (!held) return response.write(chunk);
      held.push(chunk);
      heldBytes += chunk.length;
      return heldBytes < HELD_BYTES || release();
    },
    end() {
      if (held) release();
      if (whole === undefined || response.destroyed) response.end();
      else response.end(whole.toString('latin1'), 'latin1');
    },
    drop: () => clearTimeout(timer),
  };
}

function lengthOf(headers: RawHeaders): number | undefined {
  const [length] = valuesOf(headers, 'content-length');
  return length === undefined ? undefined : Number(length);
}
