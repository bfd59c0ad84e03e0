import { setTimeout as delay } from 'node:timers/promises';
import type { SourceTransaction } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { recordAssembler } from './assemble-records.js';
import { capturedColumns, placeWithColumns } from './captured-columns.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { type ColumnHistory, memoryColumnHistory } from './column-history.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import type { ConnectorWatch } from './connector-watch.js';
import { readRecord } from './debezium-record.js';
import { connectorNotRunning } from './errors.js';
import type { LogRecord, RecordLog } from './record-log.js';
import { type TopicOffset, topicOffsetOf, topicOffsetText } from './source-coordinate.js';
import { writeWatermark } from './watermark.js';
import { newToken } from './watermarks.js';

export type KafkaSourceOptions = {
  readonly database: Database;
  readonly tables: readonly CapturedTable[];
  readonly connector: string;
  readonly topic: string;
  readonly log: RecordLog;
  /** Asked when nothing comes. */
  readonly watch: ConnectorWatch;
  /** Remembers the columns of tables by position; in memory only when left out. */
  readonly history?: ColumnHistory;
  /** Milliseconds without a record after which the connector is looked at; it writes one every five seconds. */
  readonly silenceMs?: number;
  /** How long `now` waits for the connector. */
  readonly deadlineMs?: number;
  /** A TRUNCATE is a change in place of an end. */
  readonly yieldsTruncate?: boolean;
};

const PROBE_EVERY_MS = 1_000;
// As large as those of the embedded source.
const PIECE_BYTES = 2_000_000;

/** What Debezium writes into the one topic of a migration's connector. */
export function kafkaSource(options: KafkaSourceOptions): ChangeSource {
  const { database, topic, connector, log, silenceMs = 12_000, deadlineMs = 60_000 } = options;
  const { history = memoryColumnHistory() } = options;
  const captured = new Map(options.tables.map((table) => [`${table.database}.${table.table}`, table]));

  return {
    async now() {
      const connection = await connect(database);
      try {
        const take = () => probed(connection);
        return topicOffsetText(
          await placeWithColumns(connection, captured, history, { take, positionOf: ({ last }) => last }),
        );
      } finally {
        connection.destroy();
      }
    },
    async *stream(from, signal) {
      const start = topicOffsetOf(from);
      if (signal.aborted) return;
      const control = await connect(database);
      try {
        const columns = capturedColumns(control, captured, history);
        await columns.open(start.last);
        const assemble = recordAssembler({
          topic,
          start,
          captured,
          tableOf: (name) => columns.tableOf(name),
          onRows: (name) => columns.hadRows(name),
          pieceBytes: PIECE_BYTES,
          yieldsTruncate: options.yieldsTruncate ?? false,
        });
        for await (const records of watched(log, start.next, signal))
          for (const record of records) {
            if (signal.aborted) return;
            const assembled = assemble(record);
            if (!assembled) continue;
            if ('transaction' in assembled) yield assembled.transaction satisfies SourceTransaction;
            else await columns.follow(assembled.alter.name, assembled.alter.statement, assembled.alter.at);
          }
      } finally {
        control.destroy();
      }
    },
  };

  /** A row is written into the source and waited for: only then is it certain that the connector reads from before it. */
  async function probed(connection: Connection): Promise<TopicOffset> {
    const schema = controlSchemaOf(database);
    const token = newToken();
    const end = new AbortController();
    const deadline = performance.now() + deadlineMs;
    const patience = performance.now() + silenceMs;
    const probe = async () => {
      while (!end.signal.aborted && performance.now() < deadline) {
        await writeWatermark(connection, schema, `${connector}.probe`, {
          kind: 'verify',
          token,
          at: Date.now(),
        });
        await delay(PROBE_EVERY_MS, undefined, { signal: end.signal });
        if (performance.now() < patience) continue;
        const reason = await options.watch();
        if (reason !== undefined) throw connectorNotRunning(connector, reason);
      }
      throw connectorNotRunning(connector, `nothing came within ${deadlineMs} ms`);
    };
    const find = async () => {
      let bounds = await log.bounds();
      const from = bounds?.end ?? 0n;
      for (; !bounds; bounds = await log.bounds()) await delay(200, undefined, { signal: end.signal });
      for await (const records of log.read(from, end.signal))
        for (const record of records) {
          const found = readRecord(topic, record);
          if (found.kind === 'row' && found.database === schema && found.after?.['token'] === token)
            return {
              next: record.offset + 1n,
              last: found.at,
              transaction: found.transaction,
            };
        }
      throw connectorNotRunning(connector, 'its topic ended');
    };
    const probing = probe();
    const finding = find();
    try {
      return await Promise.race([finding, probing]);
    } finally {
      end.abort();
      await Promise.allSettled([probing, finding]);
    }
  }

  /** Reads the log, and looks at the connector when nothing comes. */
  async function* watched(
    from: RecordLog,
    next: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[]> {
    const end = new AbortController();
    let lastRecord = performance.now();
    let isTaken = true;
    const watch = async () => {
      for (;;) {
        await delay(silenceMs / 4, undefined, { signal: end.signal });
        // While the reader is busy with what came, nothing can come.
        if (!isTaken) lastRecord = performance.now();
        if (performance.now() - lastRecord < silenceMs) continue;
        const reason = await options.watch();
        if (reason !== undefined) throw connectorNotRunning(connector, reason);
        lastRecord = performance.now();
      }
    };
    // It ends the reading, and is not raced with every lot: a promise that stays open keeps all that it was ever raced with.
    watch().catch((error: unknown) => end.abort(error));
    try {
      for await (const records of from.read(next, AbortSignal.any([signal, end.signal]))) {
        isTaken = false;
        yield records;
        isTaken = true;
        lastRecord = performance.now();
      }
      end.signal.throwIfAborted();
    } finally {
      end.abort();
    }
  }
}
