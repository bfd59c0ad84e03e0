import type { Offset, SourceTransaction } from '@strangler/contracts';
import { isAnswer } from './answers.js';
import type { ChangeSource } from './change-source.js';
import { OFFSET_TABLE } from './stray-writes.js';

/** Whose transactions are echoes: those of a stream that writes into the database of the source, whose control schema this is. */
export type Origin = { readonly schema: string; readonly stream: string };

/** How far the other stream was behind a transaction of its own; undefined when the transaction is not its. */
export function markOf(
  { changes }: Pick<SourceTransaction, 'changes'>,
  { schema, stream }: Origin,
): Offset | undefined {
  const mark = changes.find(
    ({ table, database, after }) =>
      table === OFFSET_TABLE && database === schema && after?.['stream'] === stream,
  );
  return mark && { text: String(mark.after?.['log_offset']) };
}

/**
 * Leaves out the transactions that another stream of ours has written: it moves its offset in each of them, with the first statement, so that the first
 * piece of a large one tells it; its answers are let through. `apply_offset` must be among the captured tables. `seen` of what is yielded is the newest offset of that stream so far.
 */
export function withoutEchoes(source: ChangeSource, origin: Origin): ChangeSource {
  return {
    now: () => source.now(),
    async *stream(from, signal) {
      let seen: Offset | undefined;
      let isWithin = false;
      let isEcho = false;
      for await (const transaction of source.stream(from, signal)) {
        const mark: Offset | undefined = isWithin && !isEcho ? undefined : markOf(transaction, origin);
        if (!isWithin) isEcho = mark !== undefined;
        // The batches of a large transaction move the offset more than once.
        seen = mark ?? seen;
        isWithin = transaction.isContinued ?? false;
        const { isContinued: _, ...rest } = transaction;
        const answers = isEcho ? rest.changes.filter((change) => isAnswer(change, origin.schema)) : [];
        const told = seen ? { seen } : {};
        if (!isEcho) yield { ...transaction, ...told };
        // Each stands by itself, so one in a piece waits for no other.
        else if (answers.length > 0) yield { ...rest, ...told, changes: answers };
      }
    },
  };
}
