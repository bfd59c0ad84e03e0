/**
 * A column value as every source yields it: the text the database itself prints (numbers and decimals with all their
 * digits, `YYYY-MM-DD HH:MM:SS[.ffffff]`, the label of an ENUM, JSON text), bytes for binary columns, or null.
 */
export type Value = string | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** `truncate` empties the table and has neither row; sources yield it only where they are asked to. */
export const OPERATIONS = ['insert', 'update', 'delete', 'truncate'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Position in a source's log. Opaque outside the adapter; `text` is its stable form for storing and showing. */
export type Offset = { readonly text: string };

/** One committed row change. `before` is null for an insert, `after` for a delete; both hold every column of the table. */
export type ChangeEvent = {
  readonly operation: Operation;
  readonly database: string;
  readonly table: string;
  readonly before: Row | null;
  readonly after: Row | null;
};

/**
 * All changes of one source transaction, in order. It is applied whole or not at all. A large one may come in several pieces, one behind the other
 * with nothing between them; the last one alone has `next` behind it.
 */
export type SourceTransaction = {
  /** GTID where the server has one, else the offset's text. */
  readonly id: string;
  /** Where the log goes on behind this transaction. */
  readonly next: Offset;
  /** Commit time by the source's clock, milliseconds since the epoch, as exact as the log is (one second). */
  readonly committedAt: number;
  readonly changes: readonly ChangeEvent[];
  /** True: the next item goes on with the same transaction, and `next` is where it begins, so that it is read again whole from there. */
  readonly isContinued?: boolean;
  /** The connection that wrote it, where the log tells. */
  readonly thread?: number;
  /** Where both directions run: how far the other one had carried the target's log when this was written. */
  readonly seen?: Offset;
  /** About how much memory the changes take; guessed from their number when left out. */
  readonly bytes?: number;
};
