import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { parsePlan, StranglerError } from '@strangler/contracts';
import {
  accept,
  consult,
  createOwnWrites,
  createPins,
  createRouting,
  createWorkflowSides,
  decide,
  FlagFile,
  identify,
  match,
  unleashFlags,
} from '@strangler/proxy/decision';
import { type Case, pathsOf, planEnvironment } from './bench-plan.js';
import { median } from './median.js';
import { benchState } from './start-contenders.js';

const BATCH = 50_000;
const BATCHES = 9;
const CLIENTS = 1_000;
const BROWSER_HEADERS = Object.entries({
  Host: 'shop.example',
  Connection: 'keep-alive',
  Accept: 'application/json',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept-Language': 'en',
  'Accept-Encoding': 'gzip, deflate, br',
  Referer: 'https://shop.example/',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Site': 'same-origin',
}).flat();

export type DecisionTime = {
  /** Microseconds from the head of a request to the decision; median of batches. */
  readonly decisionUs: number;
  /** Decisions that put a client on the service, so that one sees that something was decided. */
  readonly diverted: number;
};

/** Accept, match, consult (identify, flag, pin) and decide, by the proxy's own functions, over the plan of the bench with a browser's headers. */
export async function decisionTime(planFile: string, of: Case): Promise<DecisionTime> {
  const loaded = parsePlan(await readFile(planFile, 'utf8'), planFile, planEnvironment);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const { plan } = loaded;
  const flags = unleashFlags(
    new FlagFile(join(dirname(planFile), plan.flags?.file ?? '')),
    pino({ enabled: false }),
  );
  await flags.start();
  const routing = createRouting(plan, benchState).current;
  const service = { healthy: true, reason: null };
  const parts = {
    proxy: plan.proxy,
    flags,
    pins: createPins(plan),
    ownWrites: createOwnWrites({
      plan,
      watermarks: () => ({ time: undefined, migrations: {} }),
      now: Date.now,
    }),
    workflowSides: createWorkflowSides(plan, Date.now),
    now: Date.now,
  };
  let ids = 0;
  const newId = () => `client-${ids++}`;
  let diverted = 0;

  const decideOne = (head: ReturnType<typeof headOf>): string | undefined => {
    const accepted = accept(head, routing.paths);
    if (accepted instanceof StranglerError) throw accepted;
    const { method, path, hasBody } = accepted;
    const { route } = match(routing.routes, method, path, accepted);
    const phase = routing.phase(route);
    const consulted = consult(parts, routing, accepted, route, () => identify(accepted, plan.proxy, newId));
    if (decide({ method, path, hasBody, route, phase, service, ...consulted }).side === 'service') diverted++;
    return consulted.client?.setCookie;
  };
  const canary = pathsOf(of)[0] as string;
  const cookies = Array.from(
    { length: CLIENTS },
    () => decideOne(headOf(of.method, canary, undefined))?.split(';')[0],
  );
  const paths = pathsOf(of);
  const heads = Array.from({ length: CLIENTS }, (_, index) =>
    headOf(of.method, paths[index % paths.length] as string, cookies[(index * 7) % CLIENTS]),
  );
  const batches = Array.from({ length: BATCHES }, () => {
    const begin = performance.now();
    for (let index = 0; index < BATCH; index++) decideOne(heads[index % CLIENTS] as (typeof heads)[number]);
    return ((performance.now() - begin) * 1_000) / BATCH;
  });
  flags.stop();
  return { decisionUs: median(batches), diverted };
}

const headOf = (method: string, url: string, cookie: string | undefined) => ({
  method,
  url,
  rawHeaders: [...BROWSER_HEADERS, ...(cookie === undefined ? [] : ['Cookie', `theme=dark; ${cookie}`])],
  remoteAddress: '127.0.0.1',
  encrypted: false,
});
