import { benchApply } from './apply-bench.js';
import { benchBackfill } from './backfill-bench.js';
import { type Servers, createDatabases, fillProduct } from './bench-databases.js';
import { benchCapture } from './capture-bench.js';
import { type Lag, measureLag } from './lag-bench.js';
import { benchSink, kafkaAt, lagOfSink, lagThroughKafka } from './sink-bench.js';
import { startFlow } from './start-flow.js';

export type BenchOptions = {
  readonly servers: Servers;
  readonly parts: ReadonlySet<string>;
  /** Of the full numbers of rows and seconds. */
  readonly scale: number;
  /** Row changes of the part `apply`. */
  readonly rows?: number;
  /** The file that says where broker and worker are. */
  readonly kafkaPlace: string | undefined;
  readonly say: (sentence: string) => void;
};

/** Null is what was not asked for or could not be run; why is said. */
export type BenchResult = {
  readonly applyVsJdbcSink: number | null;
  readonly captureRowsPerSec: number | null;
  readonly backfillVsDump: number | null;
  readonly lagMsP99Embedded: number | null;
  readonly lagVsJdbcSink: number | null;
  readonly rssMiB: number | null;
};

const ratio = (ours: number, theirs: number): number => Number((ours / theirs).toFixed(2));

/** Runs the parts one after the other. */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { servers, parts, scale, say } = options;
  let applyVsJdbcSink: number | null = null;
  let captureRowsPerSec: number | null = null;
  let backfillVsDump: number | null = null;
  let lagMsP99Embedded: number | null = null;
  let lagVsJdbcSink: number | null = null;
  let rssMiB: number | null = null;
  const weigh = (flow: { readonly rssMiB: number }) => (rssMiB = Math.max(rssMiB ?? 0, flow.rssMiB));

  if (parts.has('capture')) {
    const capture = await benchCapture(servers, 400_000 * scale);
    captureRowsPerSec = capture.rowsPerSec;
    say(`capture: ${capture.rowsPerSec} rows/s, ${capture.cpuMicrosecondsARow} us of CPU a row`);
  }
  if (parts.has('backfill')) {
    const copied = await benchBackfill(servers, 2_000_000 * scale);
    weigh(copied);
    say(
      `backfill: ${copied.rowsPerSec} rows/s, ${copied.cpuSeconds} s of CPU, ${copied.rssMiB} MiB; dump and restore: ${copied.dumpRowsPerSec ?? 'not installed'} rows/s`,
    );
    if (copied.dumpRowsPerSec !== null) backfillVsDump = ratio(copied.rowsPerSec, copied.dumpRowsPerSec);
  }
  if (parts.has('lag')) {
    const databases = await createDatabases(servers);
    try {
      const filled = 10_000;
      await fillProduct(databases.source, filled);
      const flow = startFlow({ from: databases.from.url, to: databases.to.url });
      try {
        await flow.copied;
        const lag = await measureLag({ ...databases, filled, seconds: Math.max(2, 20 * scale) });
        lagMsP99Embedded = lag.p99;
        say(`lag: p50 ${lag.p50} ms, p99 ${lag.p99} ms, at most ${lag.max} ms`);
      } finally {
        await flow.stop();
      }
      weigh(await flow.stop());
    } finally {
      await databases.drop();
    }
  }
  if (parts.has('apply')) {
    const rows = options.rows ?? 1_000_000 * scale;
    const ours = await benchApply(servers.target, rows / 5, rows);
    say(`apply: ${ours.applyRowsPerSec} rows/s from memory, ${ours.seconds} s`);
  }
  if (parts.has('sink') && options.kafkaPlace === undefined)
    say('sink: there is no broker and no worker here, so nothing is said of it');
  if (parts.has('sink') && options.kafkaPlace !== undefined) {
    const place = kafkaAt(options.kafkaPlace);
    const rows = Math.min(options.rows ?? Infinity, 200_000 * scale);
    const through = await benchSink(servers, place, rows / 5, rows);
    weigh(through);
    applyVsJdbcSink = ratio(through.ourRowsPerSec, through.sinkRowsPerSec);
    say(
      `out of Kafka: ours ${through.ourRowsPerSec} rows/s with ${through.ourCpuSeconds.toFixed(1)} s of CPU, the sink ${through.sinkRowsPerSec} rows/s with ${through.sinkCpuSeconds.toFixed(1)} s`,
    );
    const lagOurs = await lagThroughKafka(servers, place, Math.max(2, 20 * scale));
    weigh(lagOurs);
    say(`lag through Kafka: p50 ${lagOurs.p50} ms, p99 ${lagOurs.p99} ms, at most ${lagOurs.max} ms`);
    const shown = ({ p50, p99, max }: Lag) => `p50 ${p50} ms, p99 ${p99} ms, at most ${max} ms`;
    const lag = await lagOfSink(servers, place, Math.max(2, 20 * scale), 'documented');
    lagVsJdbcSink = ratio(lagOurs.p99, lag.p99);
    say(`lag of the sink: ${shown(lag)}`);
    const tuned = await lagOfSink(servers, place, Math.max(2, 20 * scale), 'ours');
    say(`lag of the sink behind the connector as ours is set: ${shown(tuned)}`);
  }
  return { applyVsJdbcSink, captureRowsPerSec, backfillVsDump, lagMsP99Embedded, lagVsJdbcSink, rssMiB };
}
