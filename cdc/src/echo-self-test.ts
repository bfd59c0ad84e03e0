import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { APPLY_SESSION } from './apply.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { isRetryable } from './database-errors.js';
import { echoUntold } from './errors.js';
import { quoted } from './sql.js';
import { OFFSET_TABLE } from './stray-writes.js';
import { newToken } from './watermarks.js';
import { markOf } from './without-echoes.js';

const DEADLINE_MS = 10_000;
const CANARY_TABLE = 'canary';

export type EchoSelfTest = {
  readonly stream: string;
  readonly target: Database;
  /** The log of the target, as whoever carries its changes back reads it. */
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  readonly deadlineMs?: number;
};

/**
 * Proves before changes are carried back that the target's log tells our writes from those of others: a row written as the applier writes must
 * arrive marked, and one of another connection unmarked. The control tables must be there; the mark is a row of its own beside that of the stream, so that nothing waits for
 * a running applier. Throws ECHO_UNTOLD.
 */
export async function testEcho(options: EchoSelfTest, signal: AbortSignal): Promise<void> {
  const { stream, target, sourceOf, deadlineMs = DEADLINE_MS } = options;
  const schema = controlSchemaOf(target);
  const origin = { schema, stream: `${stream}.canary` };
  const [ours, others] = [newToken(), newToken()];
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const [applier, writer] = [await connect(target, APPLY_SESSION), await connect(target)];
  try {
    const source = sourceOf([
      { database: schema, table: OFFSET_TABLE, columns: ['stream', 'log_offset'] },
      { database: schema, table: CANARY_TABLE, columns: ['stream', 'token'] },
    ]);
    const from = await source.now();
    await applier.beginTransaction();
    await applier.query(
      `INSERT INTO ${quoted(schema, OFFSET_TABLE)} (stream, incarnation, tx_seq, log_offset, transaction_id) VALUES (?, 0, 0, '', '') ON DUPLICATE KEY UPDATE tx_seq = tx_seq + 1`,
      [origin.stream],
    );
    await writeCanary(applier, schema, stream, ours);
    await applier.commit();
    await writeCanary(writer, schema, stream, others);
    const late = delay(deadlineMs, 'late' as const, { signal: until });
    const seen = (async () => {
      const marked = new Map<unknown, boolean>();
      for await (const transaction of source.stream(from, until)) {
        for (const { table, after } of transaction.changes)
          if (table === CANARY_TABLE) marked.set(after?.['token'], markOf(transaction, origin) !== undefined);
        if (marked.has(ours) && marked.has(others)) break;
      }
      return marked;
    })();
    // The one that comes later is aborted.
    late.catch(() => {});
    seen.catch(() => {});
    const marked = await Promise.race([seen, late]);
    signal.throwIfAborted();
    if (marked === 'late') throw echoUntold(target.name, `no canary came within ${deadlineMs} ms`);
    if (marked.get(ours) !== true) throw echoUntold(target.name, 'a write of ours arrives without its mark');
    if (marked.get(others) !== false)
      throw echoUntold(target.name, 'a write of others arrives as one of ours');
  } catch (error) {
    signal.throwIfAborted();
    // A server that is lost meanwhile says nothing of its log.
    if (isRetryable(error)) throw error;
    throw error instanceof StranglerError && error.code === 'ECHO_UNTOLD'
      ? error
      : echoUntold(target.name, reasonOf(error), error);
  } finally {
    end.abort(new Error('ended'));
    applier.destroy();
    writer.destroy();
  }
}

const writeCanary = (connection: Connection, schema: string, stream: string, token: string) =>
  connection.query(`REPLACE INTO ${quoted(schema, CANARY_TABLE)} (stream, token) VALUES (?, ?)`, [
    stream,
    token,
  ]);
