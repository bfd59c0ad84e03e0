import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, createClient } from './client.js';
import {
  administer,
  type Assortment,
  browse,
  buy,
  comparePrices,
  type Send,
  type Visit,
} from './shop-visits.js';

/** What came of the traffic. A request failed when it had no answer or one that its visit did not expect. */
export type TrafficReport = {
  readonly requests: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly orders: readonly string[];
};

export type Traffic = {
  report(): TrafficReport;
  /** Counts the requests of others, such as the probes of a chapter, with the traffic's own. */
  readonly send: Send;
  /** From now on nobody starts the nightly job: it writes by SQL, which a cutover ends. */
  withoutNightly(): void;
  stop(): Promise<void>;
};

export type TrafficOptions = {
  /** Where users go: the proxy. */
  readonly base: string;
  readonly random: () => number;
  /** customer1 to customerN have accounts that are open. */
  readonly customers: number;
  /** How many of each go about at the same time. */
  readonly crowd?: {
    readonly browsers: number;
    readonly bargainHunters: number;
    readonly buyers: number;
    readonly admins: number;
  };
  readonly thinkMs?: number;
};

const KEPT_FAILURES = 20;

async function readAssortment(base: string): Promise<Assortment> {
  const ask = async <T>(path: string) => (await (await fetch(`${base}${path}`)).json()) as T;
  const pages = await Promise.all(
    [1, 2, 3].map((page) =>
      ask<{ items: { id: number; sku: string }[] }>(`/api/products?page=${page}&per_page=100&sort=newest`),
    ),
  );
  const items = pages.flatMap((page) => page.items);
  const categories = await ask<{ slug: string }[]>('/api/categories');
  const reviews = await Promise.all(
    items.slice(0, 20).map(({ id }) => ask<{ items: { id: number }[] }>(`/api/products/${id}/reviews`)),
  );
  return {
    products: items.map(({ id }) => id),
    skus: items.map(({ sku }) => sku),
    categories: categories.map(({ slug }) => slug),
    reviews: reviews.flatMap((page) => page.items).map(({ id }) => id),
  };
}

/** Realistic visitors who come and go until they are told to stop; each new visit is a new browser. */
export async function startTraffic({
  base,
  random,
  customers,
  crowd = { browsers: 5, bargainHunters: 2, buyers: 2, admins: 1 },
  thinkMs = 90,
}: TrafficOptions): Promise<Traffic> {
  let [requests, failed] = [0, 0];
  let hasNightly = true;
  const closing = new AbortController();
  const failures: string[] = [];
  const orders: string[] = [];
  const shop = await readAssortment(base);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;

  const fail = (sentence: string) => {
    failed++;
    if (failures.length < KEPT_FAILURES) failures.push(sentence);
  };
  const send: Send = async (
    client,
    method,
    path,
    { expected = [200, 201, 204, 302, 303], ...options } = {},
  ) => {
    requests++;
    let answer: Answer;
    try {
      answer = await client.send(method, path, options);
    } catch (error) {
      fail(`${method} ${path}: ${String(error)}`);
      throw error;
    }
    if (!expected.includes(answer.status))
      fail(`${method} ${path}: status ${answer.status} ${answer.text.slice(0, 200)}`);
    return answer;
  };
  const paced: Send = async (...request) => {
    const answer = await send(...request);
    await sleep(thinkMs * (0.5 + random()));
    return answer;
  };
  const comeAndGo = async (visitOf: () => Visit, keepsCookies = false) => {
    let client = createClient(base);
    while (!closing.signal.aborted) {
      if (!keepsCookies) client = createClient(base);
      // A visit that broke off is counted where it broke; the next visitor comes all the same.
      await visitOf()(client, paced, shop, pick).catch(() => sleep(thinkMs));
    }
  };
  const people = [
    ...Array.from({ length: crowd.browsers }, () => comeAndGo(() => browse)),
    ...Array.from({ length: crowd.bargainHunters }, () => comeAndGo(() => comparePrices)),
    ...Array.from({ length: crowd.buyers }, () =>
      comeAndGo(() => buy(1 + Math.floor(random() * customers), (order) => orders.push(order))),
    ),
    ...Array.from({ length: crowd.admins }, () => comeAndGo(() => administer(() => hasNightly), true)),
  ];
  return {
    report: () => ({ requests, failed, failures: [...failures], orders: [...orders] }),
    send,
    withoutNightly() {
      hasNightly = false;
    },
    async stop() {
      closing.abort();
      await Promise.all(people);
    },
  };
}
