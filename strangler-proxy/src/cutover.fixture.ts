import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  fakeStateSubscription,
  type Phase,
  type ProxyEvidence,
  type RoutingState,
} from '@strangler/contracts';
import { bodyOf, eventually, parse, type Rig } from './proxy.fixture.js';
import type { ProxyOptions } from './proxy.js';

export const DRAIN_MS = 50_000;
export const HOLD_MS = 100_000;

/** A request that one of the sides has got. `answer` does what is left of it, once. */
export type Arrived = {
  readonly what: string;
  readonly epoch: string | undefined;
  readonly body: string;
  answer(how?: (response: ServerResponse) => void): void;
};

/** A server that writes down what reaches it, and answers at once or when the test lets it. */
export async function openSide(rig: Rig, name: string) {
  const arrived: Arrived[] = [];
  /** As soon as the head is there, before the body. */
  const begun: IncomingMessage[] = [];
  const side = {
    url: '',
    arrived,
    begun,
    isWaiting: false,
    /** What came, in order. */
    got: () => arrived.map(({ what }) => what),
    has: (count: number) =>
      eventually(
        () => arrived.length,
        (length) => length >= count,
      ),
  };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one: Arrived = {
      what: `${request.method} ${request.url}`,
      epoch: request.headers['x-strangler-epoch'] as string | undefined,
      body: String(await bodyOf(request)),
      answer(how = (to) => to.end(name)) {
        if (!response.writableEnded && !response.destroyed) how(response);
      },
    };
    arrived.push(one);
    if (!side.isWaiting) one.answer();
  };
  const { url, server } = await rig.server((request, response) => {
    begun.push(request);
    void take(request, response).catch(() => {});
  });
  side.url = url;
  return Object.assign(side, { server });
}
export type Side = Awaited<ReturnType<typeof openSide>>;

export type At = { readonly phase?: Phase; readonly epoch?: number; readonly hold?: true };

export const stateAt = (version: number, { phase = 'canary', epoch, hold }: At): RoutingState => ({
  version,
  migrations: {
    catalog: {
      phase,
      since: '2026-01-01T00:00:00.000Z',
      ...(epoch !== undefined && { epoch }),
      ...(hold && { hold }),
    },
  },
});

export type CutoverSetup = {
  readonly hold?: Record<string, unknown>;
  readonly proxy?: Record<string, unknown>;
  readonly legacy?: Record<string, unknown>;
  readonly service?: Record<string, unknown>;
  readonly routes?: readonly unknown[];
  readonly more?: Record<string, unknown>;
  readonly options?: Partial<ProxyOptions>;
  readonly at?: At;
};

export const cutoverPlanText = (legacy: string, service: string, setup: CutoverSetup): string =>
  JSON.stringify({
    version: 1,
    proxy: {
      listen: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      secret: '!env SECRET',
      hold: { maxMs: HOLD_MS, ...setup.hold },
      ...setup.proxy,
    },
    control: { ledger: '!env LEDGER' },
    flags: { file: 'flags.json' },
    upstreams: { legacy: { url: legacy, ...setup.legacy }, catalog: { url: service, ...setup.service } },
    migrations: {
      catalog: {
        owner: 'team',
        upstream: 'catalog',
        routes: setup.routes ?? ['GET /items/*', 'POST /items/:id', 'PUT /items/:id', 'DELETE /items/:id'],
        cutover: { drainMs: DRAIN_MS },
        ...setup.more,
      },
    },
  }).replaceAll(/"(!env \w+)"/g, '$1');

/** Waits of the proxy that a test ends by hand; all others take their time. */
export function waitsByHand() {
  const waits = new Set<{ readonly milliseconds: number; readonly fire: () => void }>();
  const isHold = (ms: number) => ms > DRAIN_MS && ms <= HOLD_MS;
  return {
    async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
      if (milliseconds !== DRAIN_MS && !isHold(milliseconds))
        return delay(milliseconds, undefined, { signal, ref: false }).catch(() => {});
      await new Promise<void>((fire) => {
        const wait = { milliseconds, fire };
        waits.add(wait);
        signal.addEventListener('abort', () => (waits.delete(wait), fire()), { once: true });
      });
    },
    /** The time of all that drain, or of all that are held, is over. */
    fire(which: 'drain' | 'hold'): void {
      for (const wait of waits)
        if ((which === 'hold') === isHold(wait.milliseconds)) {
          waits.delete(wait);
          wait.fire();
        }
    },
  };
}

/** A proxy in the middle of a migration whose authority a test moves by hand. */
export async function cutoverRig(rig: Rig, setup: CutoverSetup = {}, sides?: readonly [Side, Side]) {
  const [legacy, service] = sides ?? [await openSide(rig, 'legacy'), await openSide(rig, 'service')];
  const waits = waitsByHand();
  const subscription = fakeStateSubscription(stateAt(1, setup.at ?? {}));
  let asked = 0;
  const running = await rig.proxy({
    plan: parse(cutoverPlanText(legacy.url, service.url, setup), await rig.folder()),
    subscription: { ...subscription, askNow: () => void asked++ },
    sleep: (milliseconds, signal) => waits.sleep(milliseconds, signal),
    ...setup.options,
  });
  let version = 1;
  const evidence = async () => (await (await fetch(`${running.admin}/evidence`)).json()) as ProxyEvidence;
  const writes = async () => (await evidence()).migrations['catalog']?.writes;
  const send = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(`${running.url}${path}`, { method, ...init });
    const text = await response.text();
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    return { status: response.status, text: code ?? text, retryAfter: response.headers.get('retry-after') };
  };
  return {
    ...running,
    legacy,
    service,
    fire: (which: 'drain' | 'hold') => waits.fire(which),
    evidence,
    writes,
    asked: () => asked,
    /** Resolves when the proxy would acknowledge it. */
    put: (at: At) => subscription.set(stateAt(++version, at)),
    send,
    post: (id: number | string, init: RequestInit = {}) =>
      send('POST', `/items/${id}`, { body: `body of ${id}`, ...init }),
    /** Waits until so many are held. */
    held: (count: number) => eventually(writes, (now) => now?.held === count),
    inFlight: (count: number) => eventually(writes, (now) => now?.inFlight === count),
    metrics: async () => (await fetch(`${running.admin}/metrics`)).text(),
  };
}
export type CutoverRig = Awaited<ReturnType<typeof cutoverRig>>;
