import type { Metric, MetricValue, Registry } from 'prom-client';

/** Counts answers and their durations in plain numbers; Prometheus's labels are put to them when it asks, not with each request. */
export type Tally = {
  /** `status`: null when the client got none. Route and upstream are names of the plan. */
  served(route: string, upstream: string, status: number | null, seconds: number): void;
};

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const REQUESTS = 'strangler_proxy_requests_total';
const SECONDS = 'strangler_proxy_request_seconds';

type Cell = {
  readonly route: string;
  readonly upstream: string;
  /** By the first digit of the status; 0 is none. */
  readonly statuses: number[];
  /** Not added up: each answer is in the first bucket it fits into, the last one has no bound. */
  readonly buckets: number[];
  sum: number;
};

export function createTally(registry: Registry): Tally {
  const cells = new Map<string, Map<string, Cell>>();
  const cellOf = (route: string, upstream: string): Cell => {
    let ofRoute = cells.get(route);
    if (!ofRoute) cells.set(route, (ofRoute = new Map()));
    let cell = ofRoute.get(upstream);
    if (!cell) {
      const zeros = (count: number) => Array.from({ length: count }, () => 0);
      cell = { route, upstream, statuses: zeros(10), buckets: zeros(BUCKETS.length + 1), sum: 0 };
      ofRoute.set(upstream, cell);
    }
    return cell;
  };
  const all = (): Cell[] => [...cells.values()].flatMap((ofRoute) => [...ofRoute.values()]);
  const register = (name: string, type: string, help: string, values: () => Value[]) => {
    const metric = {
      name,
      help,
      type,
      get: async () => ({ name, help, type, values: values(), aggregator: 'sum' }),
    };
    registry.registerMetric(metric as unknown as Metric);
  };
  register(REQUESTS, 'counter', 'Answers to clients.', () => all().flatMap(requestsOf));
  register(SECONDS, 'histogram', 'From the head of the request to the end of the answer.', () =>
    all().flatMap(secondsOf),
  );
  return {
    served(route, upstream, status, seconds) {
      const cell = cellOf(route, upstream);
      const kind = status === null ? 0 : Math.floor(status / 100);
      cell.statuses[kind] = (cell.statuses[kind] ?? 0) + 1;
      let bucket = 0;
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
      cell.buckets[bucket] = (cell.buckets[bucket] as number) + 1;
      cell.sum += seconds;
    },
  };
}

type Value = MetricValue<string> & { readonly metricName?: string };

const requestsOf = ({ route, upstream, statuses }: Cell): Value[] =>
  statuses.flatMap((value, kind) =>
    value === 0 ? [] : [{ labels: { route, upstream, status: kind === 0 ? 'none' : `${kind}xx` }, value }],
  );

function secondsOf({ route, upstream, buckets, sum }: Cell): Value[] {
  const labels = { route, upstream };
  let count = 0;
  const values: Value[] = buckets.map((own, index) => ({
    metricName: `${SECONDS}_bucket`,
    labels: { le: BUCKETS[index] ?? '+Inf', ...labels },
    value: (count += own),
  }));
  values.push({ metricName: `${SECONDS}_sum`, labels, value: sum });
  values.push({ metricName: `${SECONDS}_count`, labels, value: count });
  return values;
}
