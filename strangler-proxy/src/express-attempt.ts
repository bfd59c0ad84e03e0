// Long: what one answer can come to, state for state; in pieces, each of them would need all of the state.

import type { Socket } from 'node:net';
import type { StranglerError } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { type AnswerHead, readAnswerHead } from './answer-head.js';
import type { Outcome, Sending } from './attempt.js';
import { isEventStream } from './capture.js';
import { type ChunkScan, createChunkScan } from './chunk-scan.js';
import {
  answerIdle,
  answerTimeout,
  connectTimeout,
  staleEpoch,
  upstreamTimeout,
  writeLate,
} from './errors.js';
import { CANNOT_TAKE_IT } from './exchange.js';
import { failureOf, type Reached } from './failure-of.js';
import { answerText, informationText, requestText } from './head-text.js';
import { endToEnd, type RawHeaders, valuesOf } from './headers.js';
import type { Instance, Settle } from './instance.js';
import type { Line, Lines, LineUser } from './lines.js';
import { createOutlet, type Outlet, type Piece } from './outlet.js';
import { HELD_MS, WHOLE_BYTES } from './relay.js';
import { isStale, maybeStale, MOST_STALE_BYTES } from './refuse-stale.js';
import { retryLater } from './refuse.js';
import { retryCause } from './retry-cause.js';
import type { Slabs } from './slabs.js';
import { announcedIn, trailersOf } from './trailers.js';

const TOO_LATE = { connect: connectTimeout, head: upstreamTimeout, idle: answerIdle, body: answerTimeout };
type Stage = 'connect' | 'head' | 'idle';

/** What an attempt needs of the lane. */
export type AttemptParts = {
  readonly client: Socket;
  readonly linesTo: (instance: Instance) => Lines;
  readonly slabs: Slabs;
  readonly accepted: Accepted;
  readonly body: Buffer | undefined;
  /** Whether the client's connection goes on after the answer. */
  readonly keepAlive: () => boolean;
  /** How long that is kept idle. */
  readonly idleMs: number;
  /** Milliseconds on the clock of the lane; it moves by ticks. */
  readonly time: () => number;
  readonly date: () => string;
  readonly settle: (outcome: Outcome) => void;
};

/** How often the clock of the lane moves: one timer for all that wait, in place of one for each. */
export const TICK_MS = 50;

/** One try to have one upstream answer, over a line; the same promises as `undici-transport.ts` and `relay.ts`. */
export class ExpressAttempt implements LineUser {
  readonly #parts: AttemptParts;
  readonly #sending: Sending;
  readonly #outlet: Outlet;
  /** Of the instance that is asked. */
  #instance: Instance;
  #settle: Settle;
  /** Those of the instance: when it is gone meanwhile, the lane has no others for it. */
  #lines: Lines;
  #line: Line;
  #deadline = Infinity;
  #late: Stage = 'connect';
  #total = Infinity;
  #heldUntil = Infinity;
  /** The client has taken all that came. */
  #isTaken = true;
  /** No pause is too long. */
  #isPatient = false;
  #isOver = false;
  #retriesLeft: number;
  /** What has come of a head that is not whole yet. */
  #partial = '';
  #head: AnswerHead | undefined;
  #missing = 0;
  #chunks: ChunkScan | undefined;
  /** Of the body, so far. */
  #bytes = 0;
  /** The body of an answer that may say that the epoch is stale. */
  #doubtful: string | undefined;

  constructor(parts: AttemptParts, sending: Sending) {
    this.#parts = parts;
    this.#sending = sending;
    this.#outlet = createOutlet(parts.client, sending.hold);
    this.#retriesLeft = sending.upstream.retriesPerRequest;
    this.#instance = sending.upstream.choose();
    this.#settle = this.#instance.begin();
    this.#lines = parts.linesTo(this.#instance);
    this.#line = this.#lines.take(this, false);
    this.#send();
  }

  /** The head of the answer has gone to the client. */
  begun(): boolean {
    return this.#outlet.begun();
  }

  /** Each stage has its time, as in `exchange.ts`. The clock may be one tick behind, and nobody's time is up early; 0 is for ever. */
  #await(stage: Stage): void {
    const ms = this.#sending.upstream.timeouts[`${stage}Ms`];
    this.#late = stage;
    this.#deadline = ms === 0 ? Infinity : this.#parts.time() + TICK_MS + ms;
  }

  connected(): void {
    if (this.#isOver) return;
    const { write } = this.#sending;
    // What was written goes out only behind this.
    if (write?.stage === 'late') this.#stop({ kind: 'refused', ...retryLater(writeLate(write.migration)) });
    else this.#await('head');
  }

  #reached(): Reached {
    if (this.#head) return 'answering';
    return this.#line.isConnected ? 'sent' : 'not-sent';
  }

  #send(): void {
    const { accepted, body } = this.#parts;
    const { socket, isConnected } = this.#line;
    this.#await(isConnected ? 'head' : 'connect');
    const head = requestText(accepted, body?.length);
    if (body === undefined) socket.write(head, 'latin1');
    else if (body.length <= WHOLE_BYTES) socket.write(head + body.toString('latin1'), 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
  }

  read(bytes: Buffer, count: number): boolean {
    if (this.#isOver) return false;
    const pieces: Piece[] = [];
    const at = this.#head ? 0 : this.#readHead(bytes, count, pieces);
    if (at === undefined) return true;
    const stop = this.#readBody(bytes, at, count, pieces);
    if (stop === 'malformed') {
      this.#outlet.put(pieces);
      this.#fail(notHttp());
      return false;
    }
    if (stop === 'more') {
      this.#await('idle');
      return (this.#isTaken = this.#outlet.put(pieces));
    }
    this.#finishAnswer(pieces, stop === count);
    return true;
  }

  /** Gives the place where the body begins, or undefined when there is none to read yet, or any more. */
  #readHead(bytes: Buffer, count: number, pieces: Piece[]): number | undefined {
    const { method } = this.#parts.accepted;
    const seen = this.#partial.length;
    // Of a long piece only the head is made a text of, not the body behind it.
    let isWhole = seen > 0 || count <= WHOLE_BYTES;
    let text = isWhole
      ? this.#partial + bytes.toString('latin1', 0, count)
      : bytes.toString('latin1', 0, headIn(bytes, count));
    let skipped = 0;
    for (;;) {
      const head = readAnswerHead(text, method);
      if (head === 'more') {
        this.#partial = text;
        return undefined;
      }
      // 100 and 101 answer what nobody who is plain has asked for.
      if (head === 'malformed' || head.status <= 101) {
        this.#fail(notHttp());
        return undefined;
      }
      skipped += head.length;
      if (head.status >= 200) {
        this.#partial = '';
        this.#takeHead(head, pieces);
        return this.#isOver ? undefined : skipped - seen;
      }
      this.#inform(head);
      text = isWhole ? text.slice(head.length) : bytes.toString('latin1', skipped, count);
      isWhole = true;
    }
  }

  /** Passes an answer before the answer on (RFC 9110, 15.2), as `inform.ts`.  */
  #inform({ status, rawHeaders }: AnswerHead): void {
    this.#await('head');
    this.#parts.client.write(informationText(status, endToEnd(rawHeaders)), 'latin1');
  }

  #takeHead(head: AnswerHead, pieces: Piece[]): void {
    const { hold, setCookies, ownHeaders = [], capture } = this.#sending;
    this.#head = head;
    this.#await('idle');
    const { bodyMs } = this.#sending.upstream.timeouts;
    if (bodyMs > 0) this.#total = this.#parts.time() + TICK_MS + bodyMs;
    if (hold && CANNOT_TAKE_IT.has(head.status))
      return this.#stop({ kind: 'unavailable', status: head.status });
    const headers = endToEnd(head.rawHeaders);
    headers.push(...ownHeaders);
    const mayAnnounce = head.body === 'chunked' || head.body === 'close';
    const announced = mayAnnounce ? announcedIn(head.rawHeaders) : undefined;
    if (announced !== undefined) headers.push('Trailer', announced);
    for (const cookie of setCookies) headers.push('Set-Cookie', cookie);
    capture?.head(head.status, headers);
    this.#missing = head.bodyBytes;
    if (head.body === 'chunked') this.#chunks = createChunkScan();
    pieces.push(
      answerText(head, headers, this.#parts.keepAlive() ? this.#parts.idleMs : 0, this.#parts.date),
    );
    const isStream = isEventStream(valuesOf(headers, 'content-type')[0]);
    if (isStream) this.#isPatient = true;
    const { write, route } = this.#sending;
    if (write && route && maybeStale(head.status, head.rawHeaders)) {
      this.#doubtful = '';
      this.#outlet.hold();
      this.#heldUntil = this.#parts.time() + HELD_MS;
    }
    if (!hold) return;
    if (isStream) this.#outlet.release();
    else this.#heldUntil = this.#parts.time() + HELD_MS;
  }

  /** Gives the place behind the end of the body. */
  #readBody(bytes: Buffer, from: number, to: number, pieces: Piece[]): number | 'more' | 'malformed' {
    const { body } = this.#head as AnswerHead;
    const { capture } = this.#sending;
    const asText = to - from <= WHOLE_BYTES;
    const pass = (begin: number, end: number): void => {
      if (begin === end) return;
      if (asText) pieces.push(bytes.toString('latin1', begin, end));
      else pieces.push(this.#parts.slabs.copy(textAtEnd(pieces), bytes, begin, end));
    };
    const keep = (begin: number, end: number): void => {
      this.#bytes += end - begin;
      capture?.data(Buffer.from(bytes.subarray(begin, end)));
      if (this.#doubtful === undefined) return;
      this.#doubtful += bytes.toString('latin1', begin, end);
      if (this.#bytes > MOST_STALE_BYTES) this.#doubtful = undefined;
    };
    const take = (trailers: RawHeaders): void => {
      for (const [name, value] of trailersOf(trailers)) pieces.push(`${name}: ${value}\r\n`);
    };
    switch (body) {
      case 'none':
        return from;
      case 'length': {
        const end = Math.min(to, from + this.#missing);
        this.#missing -= end - from;
        pass(from, end);
        if (from < end) keep(from, end);
        return this.#missing === 0 ? end : 'more';
      }
      case 'chunked':
        return (this.#chunks as ChunkScan).scan(bytes, from, to, pass, keep, take);
      case 'close':
        if (from === to) return 'more';
        pieces.push(`${(to - from).toString(16)}\r\n`);
        pass(from, to);
        pieces.push('\r\n');
        keep(from, to);
        return 'more';
    }
  }

  #finishAnswer(pieces: Piece[], isAllRead: boolean): void {
    const { status, keepAlive, keptMs } = this.#head as AnswerHead;
    const { route, upstream } = this.#sending;
    if (route && this.#doubtful !== undefined && isStale(this.#doubtful) && !this.#outlet.begun())
      return this.#stop({ kind: 'refused', ...retryLater(staleEpoch(route.migration, upstream.name)) });
    this.#outlet.release(pieces);
    const line = this.#line;
    // Bytes behind the answer belong to nobody, and a request that is still on its way out must not meet the next one.
    if (keepAlive && isAllRead && line.socket.writableLength === 0)
      this.#lines.give(line, this.#parts.time(), keptMs);
    else this.#drop();
    this.#finish({ kind: 'answered', status, bytes: this.#bytes });
  }

  ended(error: Error | undefined): void {
    if (this.#isOver) return;
    if (error === undefined && this.#head?.body === 'close') {
      this.#finishAnswer(['0\r\n\r\n'], false);
      return;
    }
    this.#fail(error ?? Object.assign(new Error('ended by the upstream'), { code: 'ECONNRESET' }));
  }

  #fail(error: Error): void {
    this.#failWith(failureOf(error, this.#reached(), this.#sending.upstream));
  }

  #failWith(error: StranglerError): void {
    const { upstream } = this.#sending;
    const cause =
      this.#retriesLeft > 0
        ? retryCause({ reached: this.#reached(), error }, this.#parts.accepted, this.#sending.write)
        : undefined;
    const next = cause && upstream.retry(this.#instance, cause);
    this.#drop();
    if (!next) return this.#finish({ kind: 'failed', error });
    const { write } = this.#sending;
    if (write?.stage === 'late')
      return this.#finish({ kind: 'refused', ...retryLater(writeLate(write.migration)) });
    this.#settle('failed');
    this.#retriesLeft--;
    this.#partial = '';
    this.#instance = next;
    this.#settle = next.begin();
    // Another kept connection could be as old as the one that was closed.
    this.#lines = this.#parts.linesTo(next);
    this.#line = this.#lines.take(this, true);
    this.#send();
  }

  /** The client takes bytes again. */
  resume(): void {
    if (this.#isOver) return;
    if (!this.#isTaken) this.#await('idle');
    this.#isTaken = true;
    this.#line.socket.resume();
  }

  abandon(): void {
    this.#stop({ kind: 'abandoned' });
  }

  /** Looks at the clock: answers that do not come, and held ones that take too long. */
  tick(time: number): void {
    if (time >= this.#total) this.#failWith(this.#tooLate('body'));
    // The time a client takes for what it has is its own, and a stream of events may pause for as long as it likes.
    else if (time >= this.#deadline && !(this.#late === 'idle' && (!this.#isTaken || this.#isPatient)))
      this.#failWith(this.#tooLate(this.#late));
    else if (time >= this.#heldUntil) {
      this.#heldUntil = Infinity;
      this.#isTaken = this.#outlet.release();
      if (!this.#isTaken) this.#line.socket.pause();
    }
  }

  #tooLate(stage: Stage | 'body'): StranglerError {
    const { name, timeouts } = this.#sending.upstream;
    return TOO_LATE[stage](name, timeouts[`${stage}Ms`]);
  }

  #stop(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#drop();
    this.#finish(outcome);
  }

  #drop(): void {
    this.#line.user = undefined;
    this.#line.socket.destroy();
  }

  #finish(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Of one that was not sent in time the instance knows nothing.
    const kind = outcome.kind === 'refused' && !this.#head ? 'abandoned' : outcome.kind;
    this.#settle(kind === 'failed' || kind === 'abandoned' ? kind : 'answered', this.#head?.status);
    this.#parts.settle(outcome);
  }
}

const notHttp = () => Object.assign(new Error('not an answer in HTTP'), { code: 'NOT_HTTP' });

/** Takes the text off that a slab can begin with. */
function textAtEnd(pieces: Piece[]): string {
  if (typeof pieces.at(-1) !== 'string') return '';
  return pieces.pop() as string;
}

/** Bytes up to the end of the head, so that a large body is not made a text of. */
function headIn(bytes: Buffer, count: number): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 || end + 4 > count ? count : end + 4;
}
