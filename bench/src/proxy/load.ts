import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { availableParallelism } from 'node:os';
import type { Case } from './bench-plan.js';
import { pathOf } from './system-program.js';

const run = promisify(execFile);

export const CONNECTIONS = 64;

export type Load = {
  readonly url: string;
  readonly of: Case;
  readonly paths: readonly string[];
  /** A `Cookie` header for each client; requests take them in turn. */
  readonly cookies: readonly string[];
  readonly seconds: number;
  /** Requests a second over all connections; as many as can be when left out. */
  readonly rate?: number;
};

export type Loaded = {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and connections that broke. */
  readonly errors: number;
};

/** Sends the same requests to whoever it is, over 64 kept connections: wrk when it is installed, else autocannon. */
export async function load(order: Load, at: string): Promise<Loaded> {
  return pathOf('wrk') === undefined ? loadByAutocannon(order) : loadByWrk(order, at);
}

async function loadByWrk(order: Load, at: string): Promise<Loaded> {
  const script = join(at, `load-${order.of.name}.lua`);
  await writeFile(script, luaOf(order));
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${order.seconds}s`, '-s', script, order.url];
  const taskset = availableParallelism() === 2 ? pathOf('taskset') : undefined;
  const command = [...(taskset === undefined ? [] : [taskset, '-c', '1']), pathOf('wrk') as string, ...args];
  const { stdout } = await run(command[0] as string, command.slice(1), {
    timeout: (order.seconds + 20) * 1_000,
  });
  const line = stdout.split('\n').find((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`wrk said nothing that can be read: ${stdout}`);
  return JSON.parse(line) as Loaded;
}

const quoted = (text: string): string => JSON.stringify(text);

/** Requests are made once; with a rate, a connection waits between two by chance, twice the mean at most. */
const luaOf = ({ of, paths, cookies, rate }: Load): string => `
local paths = { ${paths.map(quoted).join(', ')} }
local cookies = { ${cookies.map(quoted).join(', ')} }
local body = ${of.bodyBytes > 0 ? `string.rep("x", ${of.bodyBytes})` : 'nil'}
local requests, turn = {}, 0
function init(args)
  local count = #paths * 8
  for i = 1, count do
    local headers = {
      ["Accept"] = "application/json", ["Accept-Encoding"] = "gzip, deflate, br", ["Accept-Language"] = "en",
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) bench",
    }
    local cookie = cookies[(i - 1) % (#cookies + 1) + 1]
    if cookie then headers["Cookie"] = cookie end
    if body then headers["Content-Type"] = "application/octet-stream" end
    requests[i] = wrk.format("${of.method}", paths[(i - 1) % #paths + 1], headers, body)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
${rate === undefined ? '' : `function delay() return math.random(0, ${Math.max(1, Math.round((2_000 * CONNECTIONS) / rate))}) end`}
function done(summary, latency, r)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

async function loadByAutocannon({ url, of, paths, cookies, seconds, rate }: Load): Promise<Loaded> {
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    ...(rate !== undefined && { overallRate: Math.round(rate) }),
    requests: paths.map((path, index) => {
      const cookie = cookies[index % (cookies.length + 1)];
      return {
        method: of.method,
        path,
        headers: cookie === undefined ? {} : { cookie },
        ...(of.bodyBytes > 0 && { body: 'x'.repeat(of.bodyBytes) }),
      };
    }),
  });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.errors + result.timeouts + result.non2xx,
  };
}
