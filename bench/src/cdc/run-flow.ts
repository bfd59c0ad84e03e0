import {
  type ChangeSource,
  type CapturedTable,
  type Database,
  flowClock,
  noStopPoints,
} from '@strangler/cdc';
import { type PipelineObserver, runPipeline } from '@strangler/cdc';
import { benchMapping } from './bench-mapping.js';

export type BenchFlow = {
  readonly from: Database;
  readonly to: Database;
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  readonly observer: Partial<PipelineObserver>;
};

/** The pipeline as a migration runs it, with the mapping of the bench and nothing that hides a failure. */
export function runFlow({ from, to, sourceOf, observer }: BenchFlow, signal: AbortSignal): Promise<void> {
  return runPipeline(
    {
      stream: 'bench',
      from,
      to,
      data: { from: 'legacy', to: 'service', chunkRows: 1_000, tables: [benchMapping()] },
      sourceOf,
      flowClock: flowClock(),
      clock: Date.now,
      random: Math.random,
      maxParkedKeys: 0,
      stopPoints: noStopPoints,
      observer: {
        onProgress() {},
        onHeartbeat() {},
        onRetry() {},
        onParked() {},
        onFlow() {},
        onApplied() {},
        ...observer,
      },
    },
    signal,
  );
}
