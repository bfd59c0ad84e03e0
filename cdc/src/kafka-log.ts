import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { StranglerError } from '@strangler/contracts';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { BoundedQueue } from './bounded-queue.js';
import { kafkaClient } from './kafka-client.js';
import { recordsPurged, recordsUnreadable } from './errors.js';
import type { LogBounds, LogRecord, RecordLog } from './record-log.js';

export type KafkaLogOptions = {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Begin of the names of the groups in which readers show to tools that watch lag; nothing here depends on what they commit. */
  readonly group: string;
  /** Characters that may lie here unread before no more is fetched. */
  readonly bufferedCharacters?: number;
  /** Milliseconds without an answer to a fetch, or in which nothing comes although there is more, after which a reader is given up. */
  readonly silenceMs?: number;
};

const PARTITION = 0;
const FETCH_WAIT_MS = 500;
const COMMIT_MS = 5_000;
/** What the broker answers for a topic that is not there (UNKNOWN_TOPIC_OR_PARTITION). */
const isNoTopic = (error: unknown): boolean =>
  (error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION' ||
  /does not host this topic-partition/.test((error as Error).message);

/**
 * A topic with one partition, by kafkajs. Every reader has a group of its own: kafkajs cannot read without one, and which reader may write is
 * decided by the target. Where to begin is told by the caller, never by the group.
 */
export function kafkaLog(options: KafkaLogOptions): RecordLog {
  const { brokers, topic, group, silenceMs = 15_000 } = options;
  const kafka = kafkaClient(brokers, {
    clientId: group,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const asking = async <Answer>(ask: (admin: Admin) => Promise<Answer>): Promise<Answer> => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await ask(admin);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  };
  const bounds = async (): Promise<LogBounds | undefined> => {
    try {
      const partitions = await asking((admin) => admin.fetchTopicOffsets(topic));
      const only = partitions.find(({ partition }) => partition === PARTITION);
      if (!only || partitions.length > 1)
        throw new Error(`it has ${partitions.length} partitions in place of one`);
      return { first: BigInt(only.low), end: BigInt(only.high) };
    } catch (error) {
      if (isNoTopic(error)) return undefined;
      throw recordsUnreadable(topic, error);
    }
  };

  return {
    bounds,
    async *read(from, signal) {
      const gone = () => recordsPurged(topic, String(from));
      const held = await bounds();
      if (!held) {
        if (from > 0n) throw gone();
        throw recordsUnreadable(topic, new Error('it is not there yet'));
      }
      if (from < held.first || from > held.end) throw gone();
      if (signal.aborted) return;

      const groupId = `${group}.${randomBytes(6).toString('hex')}`;
      const consumer: Consumer = kafka.consumer({
        groupId,
        sessionTimeout: 30_000,
        maxWaitTimeInMs: FETCH_WAIT_MS,
        retry: {
          retries: 2,
          initialRetryTime: 100,
          maxRetryTime: 1_000,
          restartOnFailure: async () => false,
        },
      });
      const queue = new BoundedQueue<readonly LogRecord[]>({
        limit: options.bufferedCharacters ?? 8_000_000,
        onFull: () => consumer.pause([{ topic }]),
        onRoom: () => consumer.resume([{ topic }]),
      });
      let expected = from;
      let lastFetch = performance.now();
      let lastRecord = performance.now();
      const fail = (error: unknown) =>
        queue.end(error instanceof StranglerError ? error : recordsUnreadable(topic, error));
      const stop = () => queue.end();

      const take = async ({ batch }: EachBatchPayload) => {
        // After an offset that is out of range kafkajs goes on at the first there is, and says nothing.
        if (fetchedFrom(batch) > expected) {
          const now = await bounds();
          if (!now || now.first > expected) return fail(gone());
        }
        const records: LogRecord[] = [];
        let weight = 0;
        for (const message of batch.messages) {
          const offset = BigInt(message.offset);
          // Before the seek has come through, and around a rebalance, records come that were had.
          if (offset < expected) continue;
          expected = offset + 1n;
          const value = message.value === null ? null : message.value.toString('utf8');
          weight += value?.length ?? 0;
          records.push({ offset, value, headers: plain(message.headers) });
        }
        if (records.length === 0) return;
        lastRecord = performance.now();
        queue.push(records, weight);
      };
      /** A consumer can go quiet without an error; then it is made anew by the caller. */
      const watch = async () => {
        for (;;) {
          await delay(silenceMs / 4, undefined, { signal: AbortSignal.any([signal, ended.signal]) });
          const now = performance.now();
          if (queue.isFull) lastFetch = lastRecord = now;
          if (now - lastFetch > silenceMs) return fail(new Error(`no answer for ${silenceMs} ms`));
          if (now - lastRecord > silenceMs) {
            const found = await bounds();
            if (found && found.first > expected) return fail(gone());
            // The markers of the producers' transactions are no records: some may always lie before the end.
            if (found && found.end > expected && (await hasRecordsFrom(expected)))
              return fail(new Error(`nothing was read for ${silenceMs} ms although there is more`));
            lastRecord = performance.now();
          }
        }
      };
      const ended = new AbortController();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      try {
        consumer.on(consumer.events.FETCH, () => (lastFetch = performance.now()));
        consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({
          autoCommit: true,
          autoCommitInterval: COMMIT_MS,
          eachBatch: async (payload) => take(payload).catch(fail),
        });
        consumer.seek({ topic, partition: PARTITION, offset: String(from) });
        watch().catch((error: unknown) => {
          if (!ended.signal.aborted && !signal.aborted) fail(error);
        });
        yield* queue;
      } catch (error) {
        throw error instanceof StranglerError ? error : recordsUnreadable(topic, error);
      } finally {
        ended.abort();
        signal.removeEventListener('abort', stop);
        queue.end();
        void forget(consumer, groupId);
      }
    },
  };

  /** Whether a record, not only a marker, lies from the offset on. */
  async function hasRecordsFrom(offset: bigint): Promise<boolean> {
    const probe = kafka.consumer({
      groupId: `${group}.${randomBytes(6).toString('hex')}`,
      maxWaitTimeInMs: 100,
    });
    try {
      await probe.connect();
      await probe.subscribe({ topics: [topic], fromBeginning: true });
      const seen = new Promise<boolean>((done) => {
        void probe.run({
          autoCommit: false,
          eachMessage: async ({ message }) => {
            if (BigInt(message.offset) >= offset) done(true);
          },
        });
        probe.seek({ topic, partition: PARTITION, offset: String(offset) });
        setTimeout(done, 3_000, false).unref();
      });
      return await seen;
    } finally {
      await probe.disconnect().catch(() => {});
    }
  }

  /** In the background: a broker that is away would hold up whoever wants to go on. */
  async function forget(consumer: Consumer, groupId: string): Promise<void> {
    await consumer.disconnect().catch(() => {});
    await asking((admin) => admin.deleteGroups([groupId])).catch(() => {});
  }
}

/** A field that the types of kafkajs leave out. */
const fetchedFrom = (batch: object): bigint =>
  BigInt((batch as { readonly fetchedOffset?: string }).fetchedOffset ?? '0');

const plain = (
  headers: EachBatchPayload['batch']['messages'][number]['headers'] = {},
): LogRecord['headers'] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
