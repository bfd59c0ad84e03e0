import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, CASES, pathsOf, ROUTES } from './bench-plan.js';
import type { Contender, ContenderName } from './contender.js';
import { startControlPlane } from './control-plane.js';
import { decisionTime } from './decision-time.js';
import { median } from './median.js';
import { measure, type Order } from './measure.js';
import { startUpstream } from './nginx.js';
import { startNodeUpstream } from './node-upstream.js';
import { createOwnedProcesses } from './owned-processes.js';
import { addedP99Vs, cpuVs, type Result, rounded, table, throughputVs } from './result.js';
import { soak } from './soak.js';
import { benchState, startContenders } from './start-contenders.js';
import { provide } from './system-program.js';

export type BenchOptions = {
  readonly cases: readonly Case[];
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly soakRequests: number;
  readonly mayInstall: boolean;
  /** Whether a round that nobody counts goes before. */
  readonly warmUp: boolean;
  readonly path: string;
  readonly before?: string | undefined;
  readonly tell: (line: string) => void;
};

const CLIENTS = 64;

/** Starts everything on this machine, measures, ends everything it started. */
export async function runBench(options: BenchOptions): Promise<Result> {
  const { cases, contenders: names, rounds, seconds, path, tell } = options;
  provide(['wrk', 'nginx', 'haproxy'], options.mayInstall, tell);
  const at = await mkdtemp(join(tmpdir(), 'strangler-bench-'));
  const owned = createOwnedProcesses();
  process.once('exit', () => rmSync(at, { recursive: true, force: true }));
  const control = await startControlPlane(benchState);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    const served = (await startUpstream(at, owned)) ?? (await startNodeUpstream(owned, path));
    const upstream = { url: served.url, pid: served.process.pid };
    const contenders = await startContenders(names, {
      at,
      upstream,
      controlPort: control.port,
      owned,
      path,
      before: options.before,
    });
    for (const contender of contenders) await proveAnswers(contender);
    const ours = contenders.find(({ name }) => name === 'ours');
    const cookies = ours ? await cookiesOf(ours) : [];
    const order: Omit<Order, 'rounds' | 'seconds'> = { contenders, cases, cookies, at, tell };

    // Rounds nobody counts: connections, page cache, and V8, which was still compiling when ours had served for eight seconds.
    if (options.warmUp) tell('warming up');
    if (options.warmUp) await measure({ ...order, rounds: 1, seconds: WARM_UP_S, tell: () => {} });
    const samples = await measure({ ...order, rounds, seconds });
    for (const line of table(samples)) tell(line);
    const small = CASES[0] as Case;
    const oursSmall = samples.filter(({ of, contender }) => of === 'small' && contender === 'ours');
    const rate = median(oursSmall.map((sample) => sample.perSecond)) / 2;
    const beside = contenders.filter(({ name }) => name === 'ours' || name === 'nginx');
    const atHalfLoad =
      beside.length < 2 || oursSmall.length === 0
        ? []
        : await measure({ ...order, contenders: beside, cases: [small], rounds, seconds, rate });
    const plan = join(at, 'ours', 'plan.yaml');
    const decided = ours && (await decisionTime(plan, small));
    if (decided)
      tell(`decision ${decided.decisionUs.toFixed(2)} us (${decided.diverted} put on the service)`);
    const soaked =
      ours &&
      (await soak(ours, small, { cookies, requests: options.soakRequests, secondsOfSlice: seconds, at }));
    if (soaked) tell(`soak of ${soaked.requests} requests`);
    return {
      throughputVsFastify: throughputVs(samples, 'fastify'),
      throughputVsHpm: throughputVs(samples, 'hpm'),
      throughputVsHttpxy: throughputVs(samples, 'httpxy'),
      cpuVsNginx: cpuVs(samples, 'nginx'),
      addedP99MsVsNginx: addedP99Vs(atHalfLoad, 'nginx'),
      decisionUs: decided ? rounded(decided.decisionUs) : null,
      rssSlopeKbPer100k: soaked?.slopeKbPer100k == null ? null : rounded(soaked.slopeKbPer100k),
      routes: ROUTES,
    };
  } finally {
    await owned.stopAll();
    await control.stop();
    await rm(at, { recursive: true, force: true });
  }
}

const WARM_UP_S = 6;

/** Whoever answers something else, or half of it, would win for the wrong reason. */
async function proveAnswers({ name, url }: Contender): Promise<void> {
  for (const of of CASES) {
    const response = await fetch(`${url}${pathsOf(of)[0]}`, {
      method: of.method,
      ...(of.bodyBytes > 0 && { body: 'x'.repeat(of.bodyBytes) }),
    });
    const { byteLength } = await response.arrayBuffer();
    if (response.status !== 200 || byteLength !== of.answerBytes)
      throw new Error(
        `"${name}" answers ${of.title} with ${response.status} and ${byteLength} bytes: it cannot be compared`,
      );
  }
}

/** Clients the proxy has given an id, as a browser would keep it. */
async function cookiesOf({ url }: Contender): Promise<readonly string[]> {
  const cookies: string[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    const response = await fetch(`${url}${pathsOf(CASES[0] as Case)[0]}`);
    await response.arrayBuffer();
    const given = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0] as string);
    // One client shows all it was given: its pin alone would be a client without an id, who gets a new one each time.
    if (given.length > 0) cookies.push(given.join('; '));
  }
  if (cookies.length < CLIENTS) throw new Error('"ours" gave no cookie: nothing was decided for a client');
  return cookies;
}
