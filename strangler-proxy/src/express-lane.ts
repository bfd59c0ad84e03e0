import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { RequestLimits } from '@strangler/contracts';
import { TICK_MS } from './express-attempt.js';
import { ExpressClient, type ExpressWorld } from './express-client.js';
import type { PlanInForce } from './in-force.js';
import type { Instance } from './instance.js';
import { createKnownFields } from './known-fields.js';
import { createLineBuffer, createLines, type Lines } from './lines.js';
import { createSlabs } from './slabs.js';

/**
 * The lane of plain requests: it reads them off their connections below node:http and sends them to the upstream by lines of its
 * own. Whatever it is not sure of goes to node:http, before anything has been sent, counted or kept.
 */
export type ExpressLane = {
  /** Requests on their way. */
  busy(): number;
  /** Requests that are over. */
  served(): number;
  /** Takes no more requests; resolves when those on their way have been answered. */
  drain(): Promise<void>;
  /** Closes every connection, to clients and upstreams. */
  stop(): void;
};

export type ExpressOptions = {
  readonly plans: Pick<PlanInForce, 'current' | 'enter' | 'leave'>;
  readonly log: Logger;
  readonly limits: Pick<RequestLimits, 'headBytes' | 'headMs' | 'idleMs'>;
  /** Called once for each connection that goes to node:http after all. */
  readonly onHandOver: () => void;
};

/** Puts the lane before a server: it gets each connection first. Connections with TLS are the server's, whatever their plan. */
export function createExpressLane(
  server: Server,
  { plans, log, limits, onHandOver }: ExpressOptions,
): ExpressLane {
  const clients = new Set<ExpressClient>();
  const lines = new Map<Instance, Lines>();
  /** Of instances that are gone, until what was on its way has ended. */
  const retired = new Set<Lines>();
  const buffer = createLineBuffer();
  let busy = 0;
  let served = 0;
  let drained: (() => void) | undefined;
  let time = 0;
  let lookedAt = 0;
  let date = '';
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    const now = performance.now();
    // While the process stood still nobody could be in time: of such a pause the lane's clock counts two ticks.
    time += Math.min(now - lookedAt, 2 * TICK_MS);
    lookedAt = now;
    date = new Date().toUTCString();
  };
  const tick = (): void => {
    look();
    for (const client of clients) client.tick(time);
    let open = 0;
    for (const each of lines.values()) open += each.sweep(time);
    for (const each of retired) {
      const left = each.sweep(time);
      if (left === 0) retired.delete(each);
      open += left;
    }
    if (clients.size > 0 || open > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  // What node:http itself does with a connection.
  const takers = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  const take = (socket: Socket): void => {
    for (const taker of takers) taker.call(server, socket);
  };
  const world: ExpressWorld = {
    plans,
    log,
    slabs: createSlabs(),
    readFields: createKnownFields(),
    buffer,
    time: () => time,
    date: () => date,
    isStopping: () => drained !== undefined,
    limits,
    linesTo(instance) {
      const there = lines.get(instance);
      if (there) return there;
      const opened = createLines(instance, buffer);
      // Requests on their way end on the lines they have, and no new one comes.
      const retire = () => {
        lines.delete(instance);
        retired.add(opened);
        opened.retire();
      };
      if (instance.gone.aborted) retire();
      else {
        lines.set(instance, opened);
        instance.gone.addEventListener('abort', retire, { once: true });
      }
      return opened;
    },
    onTaken: () => void busy++,
    onServed() {
      served++;
      busy--;
      if (busy === 0) drained?.();
    },
    onGone: (client) => void clients.delete(client),
    handOver(socket) {
      onHandOver();
      take(socket);
    },
  };
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    const isSecure = (socket as Partial<TLSSocket>).encrypted ?? false;
    if (isSecure || plans.current.isPlain.unknown.length > 0) return take(socket);
    if (timer === undefined) {
      look();
      timer = setInterval(tick, TICK_MS);
    }
    clients.add(new ExpressClient(world, socket));
  });

  return {
    busy: () => busy,
    served: () => served,
    drain: () =>
      new Promise((done) => {
        drained = done;
        for (const client of clients) if (!client.isBusy) client.close();
        if (busy === 0) done();
      }),
    stop() {
      clearInterval(timer);
      for (const client of clients) client.destroy();
      for (const each of [...lines.values(), ...retired]) each.stop();
    },
  };
}
