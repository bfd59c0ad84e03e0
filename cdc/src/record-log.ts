/** One record of a topic with one partition. Offsets grow and may leave numbers out. */
export type LogRecord = {
  readonly offset: bigint;
  /** Null in a tombstone. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
};

/** Offsets that a topic holds: `first` is there, `end` is the next to be written. */
export type LogBounds = { readonly first: bigint; readonly end: bigint };

/** An ordered log of records, as much of Kafka as a change source needs. */
export type RecordLog = {
  /** Undefined when there is no such topic yet. Throws LOG_UNREADABLE. */
  bounds(): Promise<LogBounds | undefined>;
  /**
   * Yields every committed record from the offset on, in order and each once, in lots, until `signal` is aborted; then it ends. Any number of readers
   * get the same. Throws LOG_PURGED when a record from there on is gone, and LOG_UNREADABLE when it may be tried again.
   */
  read(from: bigint, signal: AbortSignal): AsyncIterable<readonly LogRecord[]>;
};
