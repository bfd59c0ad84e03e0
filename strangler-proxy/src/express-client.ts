// Long: a connection is one state machine; in pieces, each of them would need all of its state.

import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { type RequestLimits, StranglerError } from '@strangler/contracts';
import { accept, type Accepted } from './accept.js';
import type { Entry } from './admission.js';
import type { Outcome, Sending } from './attempt.js';
import { writeLate } from './errors.js';
import { ExpressAttempt } from './express-attempt.js';
import { endOfHead } from './head-text.js';
import type { InForce, PlanInForce } from './in-force.js';
import type { Instance } from './instance.js';
import { judge, type Verdict } from './judge.js';
import { clientOf, type KnownFields, type ReadFields } from './known-fields.js';
import { limitHead } from './limit-head.js';
import type { Lines } from './lines.js';
import { headText, LARGEST_BODY, type PlainFields, type PlainHead, readPlainHead } from './plain-request.js';
import { readInPlace } from './read-in-place.js';
import { type Refusal, refusalText, retryLater } from './refuse.js';
import { refuseEntry } from './refuse-entry.js';
import type { Exchange, Serving } from './serve.js';
import type { Slabs } from './slabs.js';
import type { Write } from './writes.js';

/** What all connections of the lane have in common. */
export type ExpressWorld = {
  readonly plans: Pick<PlanInForce, 'current' | 'enter' | 'leave'>;
  readonly log: Logger;
  readonly limits: Pick<RequestLimits, 'headBytes' | 'headMs' | 'idleMs'>;
  readonly linesTo: (instance: Instance) => Lines;
  readonly slabs: Slabs;
  readonly readFields: ReadFields;
  /** All reads go into it, of clients as of lines. */
  readonly buffer: Buffer;
  /** Milliseconds; moves by ticks. */
  readonly time: () => number;
  /** The present second, as HTTP writes it. */
  readonly date: () => string;
  readonly isStopping: () => boolean;
  readonly onTaken: () => void;
  readonly onServed: () => void;
  readonly onGone: (client: ExpressClient) => void;
  /** Gives the connection to node:http, what has been read of it put back. */
  readonly handOver: (socket: Socket) => void;
};

/** A client's connection, for as long as its requests are plain. The first other one goes to node:http, and all after it. */
export class ExpressClient implements Exchange {
  readonly #world: ExpressWorld;
  readonly #socket: Socket;
  readonly #address: string;
  /** What has been read and not served yet; within the turn of a read it may lie in the buffer that all share. */
  #bytes: Buffer | undefined;
  /** Until it is called, bytes come without the stream; undefined where they never do. */
  #readAsStream: (() => void) | undefined;
  #attempt: ExpressAttempt | undefined;
  #idleUntil: number;
  #keepAlive = true;
  #isGone = false;
  /** How many looks at the clock a part of a request has seen; undefined while there is none. */
  #waited: number | undefined;
  // Of the request on its way:
  #inForce: InForce | undefined;
  #entry: Entry | undefined;
  #write: Write | undefined;
  #serving: Serving | undefined;
  #accepted: Accepted | undefined;
  #body: Buffer | undefined;
  isBusy = false;

  constructor(world: ExpressWorld, socket: Socket) {
    this.#world = world;
    this.#socket = socket;
    this.#address = socket.remoteAddress ?? '';
    this.#idleUntil = world.time() + world.limits.headMs;
    this.#readAsStream = readInPlace(socket, world.buffer, this.#onRead);
    socket.on('data', this.#onData).on('drain', this.#onDrain);
    socket.on('error', this.#onEnd).on('end', this.#onEnd).on('close', this.#onClose);
  }

  readonly #onRead = (bytes: Buffer): void => {
    this.#onData(bytes);
    // The next read is somebody else's.
    if (this.#bytes?.buffer === bytes.buffer) this.#bytes = Buffer.from(this.#bytes);
  };

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isGone) return;
    this.#bytes = this.#bytes ? Buffer.concat([this.#bytes, chunk]) : chunk;
    if (!this.isBusy) this.#next();
    // What a client sends ahead, or while it does not read, waits with the client.
    const mustWait = this.isBusy || this.#socket.writableNeedDrain;
    if (mustWait && this.#bytes && this.#bytes.length > LARGEST_BODY) {
      this.#readAsStream?.();
      this.#socket.pause();
    }
  };

  readonly #onDrain = (): void => {
    if (this.isBusy) return this.#attempt?.resume();
    this.#socket.resume();
    this.#next();
  };

  /** Who has ended a connection waits for nothing: node:http sees it so, too. */
  readonly #onEnd = (): void => {
    this.#isGone = true;
    this.#attempt?.abandon();
    this.#socket.destroySoon();
  };

  readonly #onClose = (): void => {
    this.#onEnd();
    this.#world.onGone(this);
  };

  #next(): void {
    const bytes = this.#bytes;
    // Who does not read the answers gets no more of them.
    if (!bytes || this.#isGone || this.#socket.writableNeedDrain) return;
    const plain = readPlainHead(headText(bytes), this.#world.readFields);
    if (plain === 'other' || (plain !== 'more' && plain.length > this.#world.limits.headBytes))
      return this.#handOver(bytes);
    if (plain === 'more' || bytes.length < plain.length + plain.fields.bodyBytes) {
      this.#waited ??= 0;
      return;
    }
    this.#waited = undefined;
    const { plans, onTaken } = this.#world;
    const startedAt = plans.current.parts.now();
    const verdict = this.#judge(plans.current, plain);
    if (verdict === undefined) return this.#handOver(bytes);

    const end = plain.length + plain.fields.bodyBytes;
    this.#bytes = bytes.length === end ? undefined : bytes.subarray(end);
    this.#body = plain.fields.bodyBytes === 0 ? undefined : Buffer.from(bytes.subarray(plain.length, end));
    this.#accepted = verdict.accepted;
    this.#keepAlive = plain.fields.keepAlive;
    this.#attempt = undefined;
    this.isBusy = true;
    // In the same turn as it was judged: the plan is that of the request's start until it has been served.
    this.#inForce = plans.enter();
    // So does a write pass: no state can come in between.
    if (verdict.isWrite && verdict.route)
      this.#write = this.#inForce.parts.gate.pass(verdict.route, verdict.decision.side);
    onTaken();
    this.#admit(this.#inForce, verdict, startedAt);
  }

  /** Plain for certain: from here on what is asked has effects. */
  #admit({ parts: { admission } }: InForce, verdict: Verdict, startedAt: number): void {
    const { accepted, route, decision } = verdict;
    const coming = admission.knock(accepted) ?? admission.admit(accepted, route, decision.upstream);
    if (!(coming instanceof Promise)) return this.#serve(coming, verdict, startedAt);
    coming.then((entry) => this.#serve(entry, verdict, startedAt)).catch(this.#broken);
  }

  #serve(entry: Entry | Refusal, verdict: Verdict, startedAt: number): void {
    const { parts, serve } = this.#inForce as InForce;
    if ('error' in entry) {
      refuseEntry(parts, verdict, entry, startedAt, (error, how) => this.refuse(error, how));
      // Not in this turn: a thousand requests in one piece would be a thousand calls deep.
      return queueMicrotask(this.#served);
    }
    this.#entry = entry;
    try {
      this.#serving = serve(verdict, { startedAt, entry, write: this.#write }, this);
      this.#forward(this.#serving.first);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** In the turn of whatever ended the attempt; an answer never comes in the turn of its request, so nothing gets deep. */
  readonly #settled = (outcome: Outcome): void => {
    try {
      const sending = this.#serving?.next(outcome);
      if (sending) return this.#forward(sending);
    } catch (error) {
      return this.#broken(error);
    }
    this.#served();
  };

  /** What the plan says of the request; undefined when node:http has to serve it. Nothing has had an effect yet. */
  #judge(
    { parts, isPlain }: InForce,
    { method, target, fields }: PlainHead<PlainFields | KnownFields>,
  ): Verdict | undefined {
    const { entrance, authenticate, identity, newId } = parts;
    const routing = parts.routing.current;
    if (isPlain.unknown.length > 0) return undefined;
    const known = 'sorted' in fields ? fields : undefined;
    const { rawHeaders } = fields;
    const sorted = known?.sorted;
    const head = { method, url: target, rawHeaders, sorted, remoteAddress: this.#address, encrypted: false };
    if (limitHead(head, parts.proxy.limits)) return undefined;
    const accepted = accept(head, routing.paths, entrance);
    if (accepted instanceof StranglerError || authenticate?.concerns(accepted)) return undefined;
    const verdict = judge(parts, routing, accepted, () => clientOf(known, accepted, identity, newId));
    return isPlain(verdict) ? verdict : undefined;
  }

  readonly #served = (): void => {
    this.isBusy = false;
    this.#attempt = undefined;
    this.#accepted = undefined;
    this.#body = undefined;
    this.#serving = undefined;
    this.#entry?.release();
    this.#entry = undefined;
    this.#write?.over();
    this.#write = undefined;
    if (this.#inForce) this.#world.plans.leave(this.#inForce);
    this.#inForce = undefined;
    this.#world.onServed();
    if (this.#isGone) return;
    if (!this.#goesOn()) return this.close();
    this.#idleUntil = this.#world.time() + this.#world.limits.idleMs;
    if (!this.#bytes) return;
    this.#socket.resume();
    this.#next();
  };

  readonly #broken = (error: unknown): void => {
    this.#world.log.error({ err: error }, 'a request broke the pipeline');
    this.#socket.destroy();
    this.#served();
  };

  readonly #goesOn = (): boolean => this.#keepAlive && !this.#world.isStopping();

  /** node:http does with the connection what it would have done from the start; nothing of this request has gone anywhere. */
  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    this.#isGone = true;
    this.#world.onGone(this);
    socket.off('data', this.#onData).off('drain', this.#onDrain);
    socket.off('error', this.#onEnd).off('end', this.#onEnd).off('close', this.#onClose);
    this.#readAsStream?.();
    socket.pause();
    socket.unshift(Buffer.from(bytes));
    this.#world.handOver(socket);
    socket.resume();
  }

  tick(time: number): void {
    if (this.isBusy) this.#attempt?.tick(time);
    else if (this.#waited !== undefined && this.#bytes) {
      // Who sends slowly is node:http's guest: it streams uploads and times heads out.
      if (this.#waited++ > 0) this.#handOver(this.#bytes);
    } else if (time >= this.#idleUntil) this.close();
  }

  /** Takes no more requests; what has been written goes out. */
  close(): void {
    this.#isGone = true;
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  begun(): boolean {
    return this.#attempt?.begun() ?? false;
  }

  #forward(sending: Sending): void {
    // Not in this turn: what a client had sent ahead of its leaving would be served in one.
    if (this.#isGone) return queueMicrotask(() => this.#settled({ kind: 'abandoned' }));
    const { write } = sending;
    if (write?.stage === 'late') {
      const refusal = retryLater(writeLate(write.migration));
      return queueMicrotask(() => this.#settled({ kind: 'refused', ...refusal }));
    }
    this.#attempt = new ExpressAttempt(
      {
        client: this.#socket,
        linesTo: this.#world.linesTo,
        slabs: this.#world.slabs,
        accepted: this.#accepted as Accepted,
        body: this.#body,
        keepAlive: this.#goesOn,
        idleMs: this.#world.limits.idleMs,
        time: this.#world.time,
        date: this.#world.date,
        settle: this.#settled,
      },
      sending,
    );
  }

  tell(): void {
    // Requests of testers are not plain.
  }

  refuse(error: StranglerError, { headers = {}, close = false }: Refusing = {}): void {
    if (this.#isGone) return;
    if (close) this.#keepAlive = false;
    if (this.begun()) return void this.#socket.destroy();
    const { method, requestId } = this.#accepted as Accepted;
    let rest = '';
    for (const [name, value] of Object.entries(headers)) rest += `${name}: ${value}\r\n`;
    rest += endOfHead(this.#goesOn() ? this.#world.limits.idleMs : 0, this.#world.date);
    this.#socket.write(refusalText(error, { requestId, rest, isHead: method === 'HEAD' }));
  }
}

type Refusing = NonNullable<Parameters<Exchange['refuse']>[1]>;
