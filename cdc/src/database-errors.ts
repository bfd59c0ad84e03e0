import { StranglerError } from '@strangler/contracts';

const RETRYABLE_NUMBERS = new Set([
  1040, // too many connections
  1053, // server shutdown in progress
  1158,
  1159,
  1160,
  1161, // packets lost or late
  1205, // lock wait timeout
  1213, // deadlock
  1290,
  1836, // read-only for now
  1317, // query interrupted
  1927, // connection was killed
  2006,
  2013,
]);
/** Faults of the database, not of a row: with another row it would be the same. */
const SYSTEMIC_NUMBERS = new Set([
  1005,
  1021,
  1030,
  1114, // nothing fits any more
  1044,
  1045,
  1142,
  1143,
  1227, // not allowed
  1049,
  1054,
  1146,
  1932, // no such database, column or table
  1064,
  1100,
  1136, // a statement of ours that it does not understand
]);
const RETRYABLE_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'ERR_STREAM_WRITE_AFTER_END',
]);
/** Sentences of ours that say the same of the moment, not of the data. */
const RETRYABLE_SENTENCES = new Set([
  'DATABASE_UNREACHABLE',
  'LOG_UNREADABLE',
  'APPLY_BEHIND',
  'APPLY_INTERRUPTED',
  'LOG_BEHIND',
  'SERVER_READ_ONLY',
  'XA_PREPARED',
  'CONNECT_UNREACHABLE',
  'CONNECTOR_NOT_RUNNING',
]);

/** The server's number of an error, 0 when it has none. An error that an emitter had no listener for may come wrapped, as its `context`. */
export function errnoOf(error: unknown): number {
  const { errno, context } = (error ?? {}) as { errno?: unknown; context?: { errno?: unknown } };
  return Number(errno ?? context?.errno ?? 0) || 0;
}

/** Numbers below the server's own are of its files (mysys, EE_*): a full or a swept folder of temporary files is no fault of a row. */
const isOfFiles = (error: unknown): boolean => errnoOf(error) > 0 && errnoOf(error) < 1_000;

/** Whether no other row would fare better; what has no number of the server is ours. */
export const isSystemic = (error: unknown): boolean =>
  errnoOf(error) === 0 || isOfFiles(error) || SYSTEMIC_NUMBERS.has(errnoOf(error));

const ER_SIGNAL_EXCEPTION = 1644;

/** Whether the fence of a table has refused a write, which says nothing of the row: the other side has the authority. */
export function isFenced(error: unknown): boolean {
  const { message, cause } = (error ?? {}) as { readonly message?: string; readonly cause?: unknown };
  if (errnoOf(error) === ER_SIGNAL_EXCEPTION) return (message ?? '').startsWith('FENCED:');
  return cause !== undefined && isFenced(cause);
}

/** Whether the same attempt may succeed later without anything being changed. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof StranglerError) return RETRYABLE_SENTENCES.has(error.code) && !isDenied(error.cause);
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return (
    RETRYABLE_NUMBERS.has(errnoOf(error)) ||
    isOfFiles(error) ||
    RETRYABLE_CODES.has(code ?? '') ||
    /closed state|connection is closed/i.test(message ?? '')
  );
}

/** A wrong password or a missing database does not mend itself. */
const isDenied = (error: unknown): boolean =>
  [1044, 1045, 1049, 1698].includes((error as { errno?: number } | undefined)?.errno ?? 0);
