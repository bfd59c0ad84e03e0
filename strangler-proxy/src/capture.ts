import { headerObject, type RawHeaders } from './headers.js';

/** A copy of an answer on its way to the client, or the reason why there is none. It never slows the client. */
export class Capture {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #loss: string | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Why the answer cannot be compared; undefined as long as it can. */
  get loss(): string | undefined {
    return this.#loss;
  }
  get status(): number {
    return this.#status;
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }
  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  head(status: number, raw: RawHeaders): void {
    this.#status = status;
    this.#headers = headerObject(raw);
    if (status >= 500) this.#lose('legacy-failed');
    // A part or a "not modified" of the control says nothing of the whole that the candidate would send.
    else if (status === 304 || status === 206) this.#lose('partial');
    else if (isEventStream(this.#headers['content-type'])) this.#lose('streamed');
    else if (Number(this.#headers['content-length'] ?? 0) > this.#limit) this.#lose('too-large');
  }

  data(chunk: Buffer): void {
    if (this.#loss !== undefined) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit) this.#lose('too-large');
    else this.#chunks.push(chunk);
  }

  #lose(reason: string): void {
    this.#loss = reason;
    this.#chunks = [];
  }
}

export const isEventStream = (contentType: string | undefined): boolean =>
  /^\s*text\/event-stream\b/i.test(contentType ?? '');
