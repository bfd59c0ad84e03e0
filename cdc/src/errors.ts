// Long: one line for each error, as everywhere.

import { reasonOf, StranglerError } from '@strangler/contracts';

export const databaseUnreachable = (database: string, cause: unknown) =>
  new StranglerError(
    'DATABASE_UNREACHABLE',
    503,
    `database "${database}" does not answer (${reasonOf(cause)}): start it or correct its URL`,
    cause,
  );
export const logUnreadable = (database: string, cause: unknown) =>
  new StranglerError(
    'LOG_UNREADABLE',
    503,
    `the log of database "${database}" cannot be read (${reasonOf(cause)}): it is tried again from the last applied offset`,
    cause,
  );
export const logPurged = (database: string, offset: string, cause?: unknown) =>
  new StranglerError(
    'LOG_PURGED',
    409,
    `the log of database "${database}" no longer holds offset "${offset}": roll the migration back to "legacy" and advance it again, so that it is copied anew`,
    cause,
  );
export const logBehind = (database: string, offset: string) =>
  new StranglerError(
    'LOG_BEHIND',
    503,
    `the server of database "${database}" does not have all transactions up to "${offset}": it is asked again until it has them; when they were lost in a failover, roll the migration back to "legacy" and advance it again`,
  );
export const logLost = (database: string, offset: string) =>
  new StranglerError(
    'LOG_LOST',
    409,
    `the log of database "${database}" was reset, or has lost transactions up to "${offset}" that were applied: roll the migration back to "legacy" and advance it again, so that it is copied anew`,
  );
export const logNotDecodable = (what: string, setting: string) =>
  new StranglerError(
    'LOG_NOT_DECODABLE',
    409,
    `the log holds ${what}, which cannot be read: set ${setting} for every session, then roll the migration back to "legacy" and advance it again`,
  );
export const serverReadOnly = (database: string) =>
  new StranglerError(
    'SERVER_READ_ONLY',
    503,
    `the server of database "${database}" that answers is read-only: it is asked again until one takes writes`,
  );
export const xaPrepared = (schema: string, id: string) =>
  new StranglerError(
    'XA_PREPARED',
    503,
    `the server of "${schema}" has a prepared transaction of two phases (${id}), whose rows a copy would never see: it is asked again until that is committed or rolled back`,
  );
export const logOffsetInvalid = (text: string) =>
  new StranglerError(
    'LOG_OFFSET_INVALID',
    409,
    `offset "${text}" is not a position in a log: roll the migration back to "legacy" and advance it again`,
  );
export const statementNotFollowed = (table: string, statement: string) =>
  new StranglerError(
    'STATEMENT_NOT_FOLLOWED',
    409,
    `table "${table}" was changed by "${statement}", which leaves no row changes to follow: roll the migration back to "legacy" and advance it again`,
  );
export const columnGone = (table: string, column: string) =>
  new StranglerError(
    'COLUMN_GONE',
    409,
    `column "${column}" of table "${table}", which the mapping reads, is gone: put it back or correct the plan, then roll the migration back to "legacy" and advance it again`,
  );
export const columnsAdded = (table: string, columns: readonly string[]) =>
  new StranglerError(
    'COLUMN_ADDED',
    409,
    `table "${table}" has got ${columns.length === 1 ? 'a column' : 'columns'} that the mapping does not know, "${columns.join('", "')}": name ${columns.length === 1 ? 'it' : 'them'} in "leaveOut" of the table and restart; to carry ${columns.length === 1 ? 'it' : 'them'}, map ${columns.length === 1 ? 'it' : 'them'} once the stream is past this place, restart, and copy the table again ("strangler recopy")`,
  );
export const columnNotYet = (table: string, column: string) =>
  new StranglerError(
    'COLUMN_NOT_YET',
    409,
    `column "${column}" of table "${table}" was added behind the place where the log is read on: leave it out of the mapping until the stream is past that, then map it, restart, and copy the table again ("strangler recopy")`,
  );
export const columnTypeUnknown = (table: string, column: string, type: string) =>
  new StranglerError(
    'COLUMN_TYPE_UNKNOWN',
    409,
    `column "${column}" of table "${table}" has become a "${type}", which cannot be decoded: change it back or leave it out of the mapping`,
  );
export const rowImagePartial = (table: string) =>
  new StranglerError(
    'ROW_IMAGE_PARTIAL',
    409,
    `a change of table "${table}" was logged without all its columns: set binlog_row_image to FULL for every session, then roll the migration back to "legacy" and advance it again`,
  );
export const columnsChangedTwice = (table: string) =>
  new StranglerError(
    'COLUMNS_CHANGED_TWICE',
    409,
    `table "${table}" was altered again before the first change could be followed, so its rows may be misread: roll the migration back to "legacy" and advance it again`,
  );
export const tableUnreadable = (table: string) =>
  new StranglerError(
    'TABLE_UNREADABLE',
    409,
    `table "${table}" is not there or not readable: create it or grant SELECT on it`,
  );
export const takenOver = (stream: string) =>
  new StranglerError(
    'STREAM_TAKEN_OVER',
    409,
    `migration "${stream}" is now synced by another process: end that one, then restart this one`,
  );
export const targetNotEmpty = (table: string) =>
  new StranglerError(
    'TARGET_NOT_EMPTY',
    409,
    `table "${table}" already holds rows that were not copied by this migration: empty it, then restart`,
  );
export const valueUnmapped = (table: string, key: string, column: string, reason: string) =>
  new StranglerError(
    'VALUE_UNMAPPED',
    409,
    `row "${key}" of table "${table}" cannot be mapped: column "${column}" ${reason}`,
  );
export const LOOKUP_MISSING = 'LOOKUP_MISSING';
export const lookupMissing = (table: string, key: string, column: string, inTable: string) =>
  new StranglerError(
    LOOKUP_MISSING,
    409,
    `row ${key} of source table "${table}" has in "${column}" what is not in "${inTable}": add it there, or correct the row and retry the key, or let it be with "missing: empty"`,
  );
export const tableMappedTwice = (table: string, names: readonly string[]) =>
  new StranglerError(
    'TABLE_NOT_MAPPED',
    404,
    `table "${table}" is mapped more than once: name one of ${names.map((name) => `"${name}"`).join(', ')}`,
  );
export const rowRefused = (table: string, key: string, cause: unknown) =>
  new StranglerError(
    'ROW_REFUSED',
    409,
    `row "${key}" of table "${table}" was refused by the target (${reasonOf(cause)}): widen the column or correct the mapping or the row, then restart`,
    cause,
  );
export const matchedRowsUnknown = (database: string) =>
  new StranglerError(
    'MATCHED_ROWS_UNKNOWN',
    500,
    `database "${database}" counts changed instead of matched rows: connect without a proxy that drops the FOUND_ROWS flag`,
  );
export const notSyncing = (migration: string, state: string) =>
  new StranglerError(
    'MIGRATION_NOT_SYNCING',
    409,
    `migration "${migration}" is "${state}": it can be verified while it is "tailing"`,
  );
export const migrationUnknown = (migration: string) =>
  new StranglerError(
    'MIGRATION_UNKNOWN',
    404,
    `migration "${migration}" has no data in the plan: correct the name`,
  );
export const applyBehind = (stream: string, milliseconds: number) =>
  new StranglerError(
    'APPLY_BEHIND',
    503,
    `migration "${stream}" did not reach a watermark within ${milliseconds} ms: try again when it has caught up`,
  );
export const streamNotRunning = (migration: string, stream: string, other: string) =>
  new StranglerError(
    'STREAM_NOT_RUNNING',
    409,
    `stream "${stream}" of migration "${migration}" does not run, "${other}" is what its phase asks for: ask that one, or wait until the phase has come through`,
  );
export const streamFenced = (stream: string, cause: unknown) =>
  new StranglerError(
    'STREAM_FENCED',
    409,
    `stream "${stream}" may not write (${reasonOf(cause)}): the other side has the authority over that table; nothing was written, and it goes on when a cutover hands the table back`,
    cause,
  );
export const notHandedOver = (stream: string) =>
  new StranglerError(
    'STREAM_NOT_HANDED_OVER',
    409,
    `stream "${stream}" does not know where it begins: change sides with "strangler cutover", which notes that`,
  );
export const handoverStale = (stream: string, epoch: number, noted: number) =>
  new StranglerError(
    'HANDOVER_STALE',
    409,
    `stream "${stream}" was handed over in epoch ${noted} already, and not in ${epoch}: the attempt that asks is over; see "strangler status"`,
  );
export const handoverRunning = (migration: string, stream: string) =>
  new StranglerError(
    'HANDOVER_RUNNING',
    409,
    `stream "${stream}" of migration "${migration}" is the one that runs: hand over to the other one`,
  );
export const tailLate = (stream: string, milliseconds: number) =>
  new StranglerError(
    'TAIL_LATE',
    503,
    `the tail of stream "${stream}" was not compared within ${milliseconds} ms: ask for fewer rows, or give it longer`,
  );
export const wishInvalid = (problem: string) =>
  new StranglerError('BODY_INVALID', 400, `the body is not what is asked for here: ${problem}`);
export const flowEnded = (stream: string) =>
  new StranglerError(
    'FLOW_ENDED',
    503,
    `the flow of migration "${stream}" has ended or was interrupted: try again when it is "tailing"`,
  );
export const logTooLong = (file: string) =>
  new StranglerError(
    'LOG_TOO_LONG',
    409,
    `log file "${file}" is longer than the 4 GiB that its positions can tell: run "FLUSH BINARY LOGS", roll the migration back to "legacy" and advance it again`,
  );
export const columnChanged = (table: string, column: string, from: string, to: string) =>
  new StranglerError(
    'COLUMN_CHANGED',
    409,
    `column "${column}" of table "${table}" was changed from "${from}" to "${to}", which may have changed its values without logging them: roll the migration back to "legacy" and advance it again`,
  );
export const parkingFull = (stream: string, maxKeys: number, key: string, reason: string) =>
  new StranglerError(
    'PARKING_FULL',
    409,
    `migration "${stream}" has ${maxKeys} keys parked and "${key}" would be one more (${reason}): correct what they have in common, then "strangler parked retry ${stream}", or raise sync.parking.maxKeys`,
  );
export const applyInterrupted = (stream: string, cause: unknown) =>
  new StranglerError(
    'APPLY_INTERRUPTED',
    503,
    `a large transaction of migration "${stream}" was broken off in the target (${reasonOf(cause)}): it is read again from its beginning`,
    cause,
  );
export const keyNotParked = (migration: string, key: string) =>
  new StranglerError(
    'KEY_NOT_PARKED',
    404,
    `"${key}" is not parked in migration "${migration}": take a key from "strangler parked list ${migration}"`,
  );
export const reasonMissing = () =>
  new StranglerError('WHY_MISSING', 422, 'a key is given up for good: say why');
export const connectUnreachable = (url: string, cause: unknown) =>
  new StranglerError(
    'CONNECT_UNREACHABLE',
    503,
    `Kafka Connect at "${url}" does not answer (${reasonOf((cause as Error | undefined)?.cause ?? cause)}): start it or correct "sync.source.connect"`,
    cause,
  );
export const connectRefused = (request: string, reason: string) =>
  new StranglerError(
    'CONNECT_REFUSED',
    409,
    `Kafka Connect refused "${request}" (${reason}): correct what it names and apply the connector again`,
  );
export const connectorNotRunning = (connector: string, reason: string) =>
  new StranglerError(
    'CONNECTOR_NOT_RUNNING',
    503,
    `connector "${connector}" delivers nothing (${reason}): it is tried again; see "strangler-sync connectors status"; "connectors apply" creates it, "connectors restart" starts what has failed`,
  );
export const recordsUnreadable = (topic: string, cause: unknown) =>
  new StranglerError(
    'LOG_UNREADABLE',
    503,
    `topic "${topic}" cannot be read (${reasonOf(cause)}): it is tried again from the last applied offset`,
    cause,
  );
export const recordUnknown = (topic: string, offset: string, what: string) =>
  new StranglerError(
    'RECORD_UNKNOWN',
    409,
    `record "${offset}" of topic "${topic}" ${what}: apply the connector again with "strangler-sync connectors apply", roll the migration back to "legacy" and advance it again`,
  );
export const valueNotCarried = (table: string, column: string, reason: string) =>
  new StranglerError(
    'VALUE_NOT_CARRIED',
    409,
    `column "${column}" of table "${table}" has a value that Debezium does not carry (${reason}): leave the column out of the mapping, or set "sync.source" to "kind: binlog"; then roll the migration back to "legacy" and advance it again`,
  );
export const recordsPurged = (topic: string, offset: string) =>
  new StranglerError(
    'LOG_PURGED',
    409,
    `topic "${topic}" no longer holds offset "${offset}": keep its records longer ("sync.source.retentionHours"), then roll the migration back to "legacy" and advance it again, so that it is copied anew`,
  );
export const logReplaced = (topic: string, transaction: string) =>
  new StranglerError(
    'LOG_PURGED',
    409,
    `transaction "${transaction}" in topic "${topic}" is newer than what is applied and lies before it in the log, so the source logs anew or is another server: roll the migration back to "legacy" and advance it again, so that it is copied anew`,
  );
export const keyInvalid = (key: string, table: string, columns: readonly string[]) =>
  new StranglerError(
    'KEY_INVALID',
    422,
    `"${key}" is no key of table "${table}": give ${columns.length === 1 ? `a value of "${columns[0]}"` : `a JSON list with the values of ${columns.map((column) => `"${column}"`).join(', ')}`}`,
  );
export const tableNotMapped = (migration: string, table: string) =>
  new StranglerError(
    'TABLE_NOT_MAPPED',
    404,
    `table "${table}" is not copied by migration "${migration}": name a table of the source that its mapping reads`,
  );
export const recopyRunning = (table: string) =>
  new StranglerError(
    'RECOPY_RUNNING',
    409,
    `table "${table}" is being copied again: wait until that is done; see "strangler status"`,
  );
export const pointRefused = (migration: string, reason: string, cause?: unknown) =>
  new StranglerError(
    'POINT_REFUSED',
    503,
    `both sides of migration "${migration}" could not be seen at one moment (${reason}): give the account LOCK TABLES on the source and its control schema, end transactions that stay open, and ask again`,
    cause,
  );
export const verificationRunning = (migration: string) =>
  new StranglerError(
    'VERIFICATION_RUNNING',
    409,
    `another verification of migration "${migration}" runs: wait until that is done`,
  );
export const dropRefused = (table: string) =>
  new StranglerError(
    'DROP_REFUSED',
    409,
    `table "${table}" is no copy, but what a stream back writes into: stop that stream in place of dropping it`,
  );
export const strayWrite = (migration: string, table: string, key: string | null, user: string | null) =>
  new StranglerError(
    'STRAY_WRITE',
    409,
    `${key === null ? 'rows' : `row "${key}"`} of table "${table}" ${key === null ? 'were' : 'was'} written by ${user ?? 'somebody else'}, and "data.strayWrites" of migration "${migration}" is "stop": end that writer, restart, then "strangler recopy ${migration} ..." or verify`,
  );
export const echoUntold = (database: string, reason: string, cause?: unknown) =>
  new StranglerError(
    'ECHO_UNTOLD',
    409,
    `the log of database "${database}" does not tell our writes from those of others (${reason}): correct that before changes are carried back`,
    cause,
  );
export const ownWritesUnseen = (migration: string, most: number) =>
  new StranglerError(
    'OWN_WRITES_UNSEEN',
    409,
    `more than ${most} writes of others into the target of migration "${migration}" have not been carried back: see why the other direction does not run, then restart`,
  );
export const conflictUndecided = (table: string, key: string) =>
  new StranglerError(
    'CONFLICT_UNDECIDED',
    409,
    `row "${key}" of table "${table}" was written on both sides: "retry" takes the source's row, "discard" leaves the target's; decide the other way round in the other direction`,
  );
export const loopFound = (table: string, key: string, crossings: number, windowMs: number) =>
  new StranglerError(
    'LOOP_FOUND',
    409,
    `row "${key}" of table "${table}" has come with the same change more than ${crossings} times within ${windowMs / 1000} seconds, as it does when both directions carry each other's writes: see what removes the rows of "apply_offset" from the log, then restart`,
  );
export const functionNotLoaded = (name: string, reason: string, cause?: unknown) =>
  new StranglerError(
    'FUNCTION_NOT_LOADED',
    422,
    `function "${name}" cannot be loaded (${reason}): correct its file or its name in the plan`,
    cause,
  );

/** A sentence and no error: the self-test tells all of them at once. */
export const selfTestByKafka = (migration: string): string =>
  `the changes of migration "${migration}" come through Kafka, by which a rollback has not been proved: name its database under "sync.sources" with the kind "binlog" before its cutover`;
