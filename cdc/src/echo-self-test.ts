import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { APPLY_SESSION } from './apply.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { echoUntold } from './errors.js';
import { quoted } from './sql.js';
import { isOurs, OFFSET_TABLE } from './stray-writes.js';
import { newToken } from './watermarks.js';

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
 * arrive marked, and one of another connection unmarked. The control tables must be there, and the stream must have an offset. Throws ECHO_UNTOLD.
 */
export async function testEcho(options: EchoSelfTest, signal: AbortSignal): Promise<void> {
  const { stream, target, sourceOf, deadlineMs = DEADLINE_MS } = options;
  const schema = controlSchemaOf(target);
  const [ours, others] = [newToken(), newToken()];
  const end = new AbortController();
  const until = AbortSignal.any([signal, end.signal]);
  const [applier, writer] = [await connect(target, APPLY_SESSION), await connect(target)];
  try {
    const source = sourceOf([
      { database: schema, table: OFFSET_TABLE, columns: ['stream'] },
      { database: schema, table: CANARY_TABLE, columns: ['stream', 'token'] },
    ]);
    const from = await source.now();
    await applier.beginTransaction();
    await applier.query(
      `UPDATE ${quoted(schema, OFFSET_TABLE)} SET at = UTC_TIMESTAMP(6) + INTERVAL 1 MICROSECOND WHERE stream = ?`,
      [stream],
    );
    await writeCanary(applier, schema, stream, ours);
    await applier.commit();
    await writeCanary(writer, schema, stream, others);
    const late = delay(deadlineMs, 'late' as const, { signal: until });
    const seen = (async () => {
      const marked = new Map<unknown, boolean>();
      for await (const transaction of source.stream(from, until)) {
        for (const { table, after } of transaction.changes)
          if (table === CANARY_TABLE) marked.set(after?.['token'], isOurs(transaction, schema));
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
