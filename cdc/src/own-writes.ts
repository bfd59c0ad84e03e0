import { setTimeout as delay } from 'node:timers/promises';
import type { Offset, Row, SourceTransaction } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { isUpTo, type LogPosition, positionOf } from './binlog-offset.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { targetKeyText } from './compare-rows.js';
import { applyBehind, ownWritesUnseen } from './errors.js';
import { type MergeRules, pick } from './merge-rules.js';
import { numberOf, type Unseen } from './merge-row.js';
import { quoted } from './sql.js';
import { OFFSET_TABLE } from './stray-writes.js';
import type { TablePair } from './table-pair.js';
import { newToken } from './watermarks.js';
import { withoutEchoes } from './without-echoes.js';

const CANARY_TABLE = 'canary';
const DEADLINE_MS = 30_000;
/** Some 300 bytes each. */
const MOST = 300_000;

export type OwnWrites = {
  /** Follows the log; ends by throwing. */
  follow(signal: AbortSignal): Promise<void>;
  /** Resolves when all is known that was committed before the call. Throws APPLY_BEHIND. */
  reach(): Promise<void>;
  /** What was done to a key, by writers that are not this stream, behind what the other stream had carried when a change was written. */
  unseen(pair: TablePair, key: Row, seen: Offset | undefined): Unseen;
};

export type OwnWritesOptions = {
  readonly stream: string;
  /** Control schema of the target. */
  readonly schema: string;
  readonly pairs: readonly TablePair[];
  /** The log of the target. */
  readonly sourceOf: (captured: readonly CapturedTable[]) => ChangeSource;
  /** A connection to the target, beside the one that writes. */
  readonly connection: Connection;
  /** What the other stream has carried for sure: what lies before it is seen. */
  readonly from: Offset;
};

type Write = {
  readonly id: string;
  readonly at: LogPosition;
  readonly before: Row | null;
  readonly after: Row | null;
};

/**
 * Remembers what the target's own writers have done, until the other stream has carried it and the source's writers can have seen it: only so can a row that was changed and
 * changed back, or removed, be told from one that nobody has touched. Bounded; throws OWN_WRITES_UNSEEN.
 */
export function createOwnWrites(options: OwnWritesOptions): OwnWrites {
  const { stream, schema, connection, from } = options;
  const pairs = new Map(options.pairs.map((pair) => [`${pair.target.database}.${pair.target.name}`, pair]));
  const idOf = (pair: TablePair, row: Row) =>
    `${pair.target.name}\0${targetKeyText(pair, pick(row, Object.keys(pair.map.mapping.key)))}`;
  const byKey = new Map<string, Write[]>();
  /** In the order of the log; those before `forgotten` are seen. */
  let all: Write[] = [];
  let forgotten = 0;
  let seenText = from.text;
  let seenAt = positionOf(from);
  const waiting = new Map<string, () => void>();
  let waited = 0;

  const take = ({ changes, next, isContinued }: SourceTransaction) => {
    // Of a piece nobody knows where its transaction ends: it lies behind anything that was seen.
    const at = isContinued ? undefined : positionOf(next);
    for (const { database, table, before, after } of changes) {
      if (table === CANARY_TABLE && database === schema) waiting.get(String(after?.['token']))?.();
      const pair = pairs.get(`${database}.${table}`);
      if (pair)
        open.push(
          ...(before && after && idOf(pair, before) !== idOf(pair, after)
            ? [
                { id: idOf(pair, before), before, after: null },
                { id: idOf(pair, after), before: null, after },
              ]
            : [{ id: idOf(pair, (after ?? before) as Row), before, after }]),
        );
    }
    if (all.length - forgotten + open.length > MOST) throw ownWritesUnseen(stream, MOST);
    if (!at) return;
    for (const write of open.splice(0)) {
      const known = { ...write, at };
      all.push(known);
      const ofKey = byKey.get(write.id);
      if (ofKey) ofKey.push(known);
      else byKey.set(write.id, [known]);
    }
  };
  const open: Omit<Write, 'at'>[] = [];

  const forget = (seen: Offset) => {
    if (seen.text === seenText) return;
    seenText = seen.text;
    seenAt = positionOf(seen);
    for (let write = all[forgotten]; write && isUpTo(write.at, seenAt); write = all[++forgotten]) {
      const ofKey = byKey.get(write.id);
      ofKey?.shift();
      if (ofKey?.length === 0) byKey.delete(write.id);
    }
    if (forgotten > 10_000) {
      all = all.slice(forgotten);
      forgotten = 0;
    }
  };

  return {
    async follow(signal) {
      const tables = [
        { database: schema, table: OFFSET_TABLE, columns: ['stream', 'log_offset'] },
        { database: schema, table: CANARY_TABLE, columns: ['stream', 'token'] },
        ...options.pairs.map((pair) => ({
          database: pair.target.database,
          table: pair.target.name,
          columns: pair.map.writes,
        })),
      ];
      const log = withoutEchoes(options.sourceOf(tables), { schema, stream });
      for await (const transaction of log.stream(from, signal)) take(transaction);
    },
    async reach() {
      const token = newToken();
      const end = new AbortController();
      try {
        const met = new Promise<void>((done) => waiting.set(token, done));
        await connection.query(`REPLACE INTO ${quoted(schema, CANARY_TABLE)} (stream, token) VALUES (?, ?)`, [
          `${stream}.own.${waited++ % 10}`,
          token,
        ]);
        const late = delay(DEADLINE_MS, 'late' as const, { signal: end.signal });
        late.catch(() => {});
        if ((await Promise.race([met, late])) === 'late') throw applyBehind(stream, DEADLINE_MS);
      } finally {
        waiting.delete(token);
        end.abort();
      }
    },
    unseen(pair, key, seen) {
      if (seen) forget(seen);
      return unseenIn(byKey.get(idOf(pair, key)) ?? [], pair.merge as MergeRules);
    },
  };
}

/** What a row of writes comes to, oldest first. */
function unseenIn(writes: readonly Pick<Write, 'before' | 'after'>[], rules: MergeRules): Unseen {
  let isRow = false;
  let removed: bigint | undefined;
  const added: Record<string, string[]> = {};
  const owned: Record<string, Row[string]> = {};
  for (const { before, after } of writes) {
    if (!before || !after || !rules.isSame(before, after, rules.together)) isRow = true;
    if (!after && before && rules.version !== undefined) removed = BigInt(String(before[rules.version] ?? 0));
    if (!after) continue;
    for (const name of rules.additive)
      if (!before || !rules.isSame(before, after, [name]))
        (added[name] ??= []).push(`${numberOf(after[name])}-${numberOf(before?.[name])}`);
    for (const name of rules.ownedByTarget)
      if (!before || !rules.isSame(before, after, [name])) owned[name] = after[name] ?? null;
  }
  return { isRow, added, owned, ...(removed === undefined ? {} : { removed }) };
}
