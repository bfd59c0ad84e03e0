import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Plan } from '@strangler/contracts';
import { ExpressClient, type ExpressWorld } from './express-client.js';
import { TICK_MS } from './express-attempt.js';
import { createIsPlain } from './is-plain.js';
import { createLineBuffer, createLines, type Lines } from './lines.js';
import { createServe, type PipelineParts } from './pipeline.js';
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
  readonly plan: Plan;
  readonly parts: Omit<PipelineParts, 'forward'>;
  /** Called once for each connection that goes to node:http after all. */
  readonly onHandOver: () => void;
};

/** Puts the lane before a server: it gets each connection first. */
export function createExpressLane(server: Server, { plan, parts, onHandOver }: ExpressOptions): ExpressLane {
  const clients = new Set<ExpressClient>();
  const lines = new Map<string, Lines>();
  const buffer = createLineBuffer();
  const serve = createServe(parts);
  let busy = 0;
  let served = 0;
  let drained: (() => void) | undefined;
  let time = 0;
  let date = '';
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    time = performance.now();
    date = new Date().toUTCString();
  };
  const tick = (): void => {
    look();
    for (const client of clients) client.tick(time);
    let open = 0;
    for (const each of lines.values()) open += each.sweep(time);
    if (clients.size > 0 || open > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  // What node:http itself does with a connection.
  const takers = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  const world: ExpressWorld = {
    ...parts,
    isPlain: createIsPlain(plan),
    slabs: createSlabs(),
    time: () => time,
    date: () => date,
    isStopping: () => drained !== undefined,
    linesTo({ url: { host, hostname, port } }) {
      let to = lines.get(host);
      if (!to) lines.set(host, (to = createLines({ hostname, port }, buffer)));
      return to;
    },
    serve(verdict, startedAt, exchange) {
      busy++;
      return serve(verdict, startedAt, exchange);
    },
    onServed() {
      served++;
      busy--;
      if (busy === 0) drained?.();
    },
    onGone: (client) => void clients.delete(client),
    handOver(socket) {
      onHandOver();
      for (const take of takers) take.call(server, socket);
    },
  };
  const onConnection = (socket: Socket): void => {
    if (timer === undefined) {
      look();
      timer = setInterval(tick, TICK_MS);
    }
    clients.add(new ExpressClient(world, socket));
  };
  const { unknown } = world.isPlain;
  if (unknown.length === 0) server.removeAllListeners('connection').on('connection', onConnection);
  else
    parts.log.info(
      { unknown },
      'the express lane does not know all that the plan says of the proxy, and is not used',
    );

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
      for (const each of lines.values()) each.stop();
    },
  };
}
