import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Plan } from '@strangler/contracts';

/** A span that is over, in the form the exporter of OpenTelemetry takes. */
export type KeptSpan = Parameters<OTLPTraceExporter['export']>[0][number];

/** Where spans go. `export` never throws and tells whether the collector took them. */
export type SpanSink = {
  export(spans: readonly KeptSpan[]): Promise<boolean>;
  stop(): Promise<void>;
};

/** Keeps spans until they go out together. `keep` costs the caller nothing but a place in memory. */
export type SpanQueue = {
  keep(span: KeptSpan): void;
  /** Sends what waits, within the time the exporter has for it. */
  stop(): Promise<void>;
};

// The numbers of OpenTelemetry's own batch processor (OTEL_BSP_*), with a shorter wait.
const MOST_WAITING = 2_048;
const AT_ONCE = 512;
const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;
// ExportResultCode.SUCCESS of @opentelemetry/core.
const TAKEN = 0;

/** One batch is on its way at a time; what does not fit into the queue meanwhile, or is not taken, is dropped and counted. */
export function createSpanQueue(sink: SpanSink, dropped: (count: number) => void): SpanQueue {
  let waiting: KeptSpan[] = [];
  let sending: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (sending || waiting.length === 0) return;
    sending = sendOne().finally(() => {
      sending = undefined;
      if (waiting.length >= AT_ONCE) send();
      else if (waiting.length > 0) later();
    });
  };
  const sendOne = async (): Promise<void> => {
    const batch = waiting.slice(0, AT_ONCE);
    waiting = waiting.slice(AT_ONCE);
    if (!(await sink.export(batch))) dropped(batch.length);
  };
  const later = (): void => void (timer ??= setTimeout(send, EVERY_MS).unref());
  return {
    keep(span) {
      if (waiting.length >= MOST_WAITING) return dropped(1);
      waiting.push(span);
      if (waiting.length >= AT_ONCE) send();
      else later();
    },
    async stop() {
      await sending;
      while (waiting.length > 0) await sendOne();
      clearTimeout(timer);
      await sink.stop();
    },
  };
}

/** OpenTelemetry's exporter for JSON over HTTP; the library is loaded only for a plan that traces. */
export async function openSpanSink({ otlp }: NonNullable<Plan['proxy']['tracing']>): Promise<SpanSink> {
  const { OTLPTraceExporter: Exporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const exporter = new Exporter({ url: otlp, timeoutMillis: TIMEOUT_MS });
  return {
    export: (spans) =>
      new Promise((done) => exporter.export([...spans], ({ code }) => done((code as number) === TAKEN))),
    stop: () => exporter.shutdown(),
  };
}
