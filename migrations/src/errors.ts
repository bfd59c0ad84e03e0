// Long: every error of the package in one place, so that no two say the same.

import { reasonOf, StranglerError } from '@strangler/contracts';
import type { Gate } from './gates/gate.js';

/** Gates that are not met. Over HTTP the gates travel beside code and message. */
export class GateUnmet extends StranglerError {
  readonly gates: readonly Gate[];
  constructor(sentence: string, gates: readonly Gate[]) {
    super('GATE_UNMET', 409, sentence);
    this.gates = gates;
  }
}

export const gateUnmet = (migration: string, to: string, gates: readonly Gate[]) =>
  new GateUnmet(
    `migration "${migration}" may not go to ${to}: ${gates
      .filter((gate) => !gate.met)
      .map((gate) => `${gate.gate}: ${gate.detail}`)
      .join('; ')}`,
    gates,
  );
export const migrationUnknown = (migration: string, known: readonly string[]) =>
  new StranglerError(
    'MIGRATION_UNKNOWN',
    404,
    `migration "${migration}" is not in the plan: ${known.length === 0 ? 'it has none' : `known are ${known.map((name) => `"${name}"`).join(', ')}`}`,
  );
export const memberOfGroup = (migration: string, group: string, verb: string) =>
  new StranglerError(
    'MEMBER_OF_GROUP',
    409,
    `migration "${migration}" belongs to group "${group}" and moves with it: use "strangler ${verb} ${group}"`,
  );
export const groupApart = (group: string, places: readonly string[], lowest: string) =>
  new StranglerError(
    'GROUP_APART',
    409,
    `group "${group}" cannot advance while its migrations stand apart (${places.join(', ')}): bring them together with "strangler rollback ${group} --to ${lowest}"`,
  );
export const takesCutover = (migration: string, from: string, to: string) =>
  new StranglerError(
    'TAKES_CUTOVER',
    409,
    `migration "${migration}" cannot simply go from "${from}" to "${to}", that moves its writes: use "strangler ${to === 'canary' ? 'rollback' : 'cutover'} ${migration}"`,
  );
export const takesRetirement = (migration: string) =>
  new StranglerError(
    'TAKES_RETIREMENT',
    409,
    `migration "${migration}" ends for good when it is retired: use "strangler retire ${migration}"`,
  );
export const isRetired = (migration: string) =>
  new StranglerError(
    'MIGRATION_RETIRED',
    409,
    `migration "${migration}" is retired: legacy is no longer kept up to date, so there is no way back and no way on`,
  );
export const wrongPhaseForCutover = (migration: string, phase: string) =>
  new StranglerError(
    'CUTOVER_WRONG_PHASE',
    409,
    phase === 'extracted'
      ? `migration "${migration}" is in "extracted", its writes are on the service already: nothing was changed; "strangler rollback ${migration}" takes them back`
      : `migration "${migration}" is in "${phase}" and a cutover begins in "canary": use "strangler advance ${migration}" first`,
  );
export const wrongPhaseToRetire = (migration: string, phase: string) =>
  new StranglerError(
    'RETIRE_WRONG_PHASE',
    409,
    `migration "${migration}" is in "${phase}" and only one in "extracted" can be retired: use "strangler cutover ${migration}" first`,
  );
export const cutoverRunning = (unit: string, state: string, by: string, since: string) =>
  new StranglerError(
    'CUTOVER_RUNNING',
    409,
    `"${unit}" is changing sides ("${state}", begun by "${by}" at ${since}): nothing was changed; see "strangler status" and ask again when it is over`,
  );
export const leaseHeld = (unit: string, holder: string) =>
  new StranglerError(
    'LEASE_HELD',
    409,
    `"${unit}" is in the hands of coordinator "${holder}": nothing was changed; ask again when it is done or its lease has run out`,
  );
export const leaseLost = (unit: string) =>
  new StranglerError(
    'LEASE_LOST',
    409,
    `another coordinator has taken over "${unit}": this one wrote nothing more; see "strangler status"`,
  );
export const cutoverAborted = (unit: string, epoch: number, reason: string) =>
  new StranglerError(
    'CUTOVER_ABORTED',
    409,
    `cutover ${epoch} of "${unit}" was broken off and everything is as before (${reason}): mend that and ask again`,
  );
export const groupWithoutData = (unit: string, member: string) =>
  new StranglerError(
    'CUTOVER_WITHOUT_DATA',
    409,
    `"${unit}" cannot change sides: migration "${member}" moves no data, so writes to its service would never reach legacy; add "data" to it in the plan`,
  );
export const alreadyThere = (migration: string, where: string) =>
  new StranglerError(
    'ALREADY_THERE',
    409,
    `migration "${migration}" is already ${where}: nothing was changed`,
  );
export const notForward = (migration: string, from: string, to: string) =>
  new StranglerError(
    'ADVANCE_NOT_FORWARD',
    409,
    `migration "${migration}" is in "${from}", so "${to}" is no advance: use "strangler rollback ${migration} --to ${to}"`,
  );
export const notBackward = (migration: string, from: string, to: string) =>
  new StranglerError(
    'ROLLBACK_NOT_BACKWARD',
    409,
    `migration "${migration}" is in "${from}", so "${to}" is no rollback: use "strangler advance ${migration}"`,
  );
export const nothingToRollBack = (migration: string) =>
  new StranglerError(
    'NOTHING_TO_ROLL_BACK',
    409,
    `migration "${migration}" is in "legacy": there is nothing to roll back`,
  );
export const shareNotAllowed = (migration: string, share: number, allowed: string) =>
  new StranglerError(
    'SHARE_NOT_ALLOWED',
    409,
    `migration "${migration}" may not take the share ${share} %: ${allowed}`,
  );
export const shareOutsideCanary = (migration: string, to: string) =>
  new StranglerError(
    'SHARE_OUTSIDE_CANARY',
    409,
    `migration "${migration}" would be in "${to}", which has no share: leave the share out, it belongs to "canary"`,
  );
export const forceNeedsReason = (migration: string) =>
  new StranglerError(
    'FORCE_NEEDS_REASON',
    400,
    `migration "${migration}" can only be forced with a reason: add --why "..."; the ledger keeps it`,
  );
export const changedMeanwhile = (migration: string, event: string) =>
  new StranglerError(
    'LEDGER_CHANGED_MEANWHILE',
    409,
    `migration "${migration}" was changed while this was decided (${event}): look at "strangler status" and decide again`,
  );
export const ledgerUnreachable = (where: string, cause: unknown) =>
  new StranglerError(
    'LEDGER_UNREACHABLE',
    503,
    `ledger "${where}" cannot be reached (${reasonOf(cause)}): start the database or correct control.ledger in the plan`,
    cause,
  );
export const ledgerFailed = (where: string, cause: unknown) =>
  new StranglerError(
    'LEDGER_FAILED',
    503,
    `ledger "${where}" does not work now (${reasonOf(cause)}): nothing was written; look at the database and try again`,
    cause,
  );
export const onlyFlagTurnedOff = (migration: string, flag: string, cause: unknown) =>
  new StranglerError(
    'ROLLED_BACK_BY_FLAG_ONLY',
    503,
    `migration "${migration}" is off by its flag "${flag}", so every client is back on legacy, but the ledger could not be written (${reasonOf(cause)}): repeat the rollback when the ledger is back`,
    cause,
  );
export const ledgerNotPrepared = (where: string, cause: unknown) =>
  new StranglerError(
    'LEDGER_NOT_PREPARED',
    503,
    `ledger "${where}" cannot be prepared (${reasonOf(cause)}): grant its user CREATE, ALTER, INDEX, TRIGGER, SELECT, INSERT and UPDATE on that database; with the binary log on MySQL also wants log_bin_trust_function_creators=1`,
    cause,
  );
export const flagsUnreadable = (file: string, cause: unknown) =>
  new StranglerError(
    'FLAGS_UNREADABLE',
    503,
    `flag file "${file}" cannot be read (${reasonOf(cause)}): restore the JSON of Unleash's client API in it, or remove it and every flag is off`,
    cause,
  );
export const flagsNotWritten = (file: string, cause: unknown) =>
  new StranglerError(
    'FLAGS_NOT_WRITTEN',
    503,
    `flag file "${file}" cannot be written (${reasonOf(cause)}): make its folder writable for the control plane`,
    cause,
  );
export const shareSetInUnleash = (flag: string, now: number | null, wanted: number) =>
  new StranglerError(
    'SHARE_SET_IN_UNLEASH',
    409,
    `flag "${flag}" is set in Unleash and ${now === null ? 'has strategies of its own' : `is at ${now} %`} there: set it to ${wanted} % in Unleash${now === null ? ' by one plain gradual rollout' : ''}, nothing was changed here`,
  );
export const flagServerNotAsked = (url: string, cause: unknown) =>
  new StranglerError(
    'FLAG_SERVER_UNREACHABLE',
    503,
    `unleash "${url}" does not say its flags (${reasonOf(cause)}): see that it runs and that flags.unleash in the plan is right`,
    cause,
  );
export const syncNotAsked = (url: string, cause: unknown) =>
  new StranglerError(
    'SYNC_UNREACHABLE',
    503,
    `sync "${url}" does not answer (${reasonOf(cause)}): start it, or correct sync.admin in the plan`,
    cause,
  );
export const proxyNotAsked = (url: string, cause: unknown) =>
  new StranglerError(
    'PROXY_UNREACHABLE',
    503,
    `proxy "${url}" does not answer (${reasonOf(cause)}): start it with "strangler up --plan FILE" or correct proxy.admin in the plan`,
    cause,
  );
export const answerNotUnderstood = (url: string, status: number) =>
  new StranglerError(
    'ANSWER_NOT_UNDERSTOOD',
    502,
    `"${url}" answered ${status} without a reason: look at the log of that program`,
  );
export const noData = (migration: string) =>
  new StranglerError(
    'MIGRATION_WITHOUT_DATA',
    409,
    `migration "${migration}" moves no data: there is nothing to verify`,
  );
export const noTesters = (file: string) =>
  new StranglerError(
    'PLAN_WITHOUT_TESTERS',
    400,
    `plan "${file}" knows no testers: add "testers: { header: x-strangler-tester }" under proxy`,
  );
export const noControl = (file: string) =>
  new StranglerError(
    'PLAN_WITHOUT_CONTROL',
    400,
    `plan "${file}" has no control plane: add "control: { ledger: !env LEDGER_DATABASE_URL }"`,
  );
export const programNotFound = (name: string) =>
  new StranglerError(
    'PROGRAM_NOT_FOUND',
    400,
    `program "${name}" is in no node_modules/.bin above this folder: install its package beside @strangler/migrations`,
  );
export const doctorFailed = (reason: string) =>
  new StranglerError(
    'DOCTOR_FAILED',
    500,
    `"strangler-sync" could not look at the databases (${reason}): run "strangler-sync doctor --plan FILE" to see more`,
  );
export const programEnded = (name: string, how: string) =>
  new StranglerError('PROGRAM_ENDED', 500, `program "${name}" ${how} before it was ready: see its log above`);
export const programKeepsEnding = (name: string, times: number) =>
  new StranglerError(
    'PROGRAM_KEEPS_ENDING',
    500,
    `program "${name}" ended ${times} times right after its start: everything is stopped, see its log above`,
  );
export const inputInvalid = (subject: string, reason: string) =>
  new StranglerError('INPUT_INVALID', 400, `"${subject}" ${reason}`);
export const keyNotParked = (migration: string, key: string) =>
  new StranglerError(
    'KEY_NOT_PARKED',
    404,
    `"${key}" is not parked in migration "${migration}": take a key from "strangler parked list ${migration}"`,
  );
export const fenceDatabaseUnreachable = (database: string, reason: string, cause: unknown) =>
  new StranglerError(
    'FENCE_DATABASE_UNREACHABLE',
    503,
    `database "${database}" cannot be reached for its fences (${reason}): start it or correct its URL in the plan`,
    cause,
  );
export const fenceNotAllowed = (database: string, statement: string, cause: unknown) =>
  new StranglerError(
    'FENCE_NOT_ALLOWED',
    403,
    `database "${database}" does not let its account put up fences (${reasonOf(cause)}): ${statement}`,
    cause,
  );
export const fenceNotPutUp = (database: string, cause: unknown) =>
  new StranglerError(
    'FENCE_NOT_PUT_UP',
    503,
    `database "${database}" did not take a statement of its fences (${reasonOf(cause)}): repeat the command, what is done already stays`,
    cause,
  );
export const fenceTableUnknown = (database: string, tables: readonly string[]) =>
  new StranglerError(
    'FENCE_TABLE_UNKNOWN',
    409,
    `database "${database}" has no ${tables.map((table) => `table "${table}"`).join(', ')}: correct the mapping, or start sync so that it is looked at`,
  );
export const processPrivilegeMissing = (database: string, account: string) =>
  new StranglerError(
    'PROCESS_PRIVILEGE_MISSING',
    403,
    `database "${database}" does not show its transactions to its account: GRANT PROCESS ON *.* TO ${account}`,
  );
export const idNotSet = (database: string, table: string, next: string, cause: unknown) =>
  new StranglerError(
    'ID_NOT_SET',
    503,
    `table "${table}" of database "${database}" does not go on with number ${next}${cause === undefined ? '' : ` (${reasonOf(cause)})`}: grant its account ALTER on the table, and see that nothing holds the table`,
    cause,
  );
export const fenceShared = (table: string, database: string, unit: string, other: string) =>
  new StranglerError(
    'FENCE_SHARED',
    409,
    `table "${table}" of "${database}" changes sides with "${unit}" and with "${other}", and one fence cannot stand in two ways: put them into one group`,
  );
export const fenceNeeded = (unit: string, phase: string) =>
  new StranglerError(
    'FENCE_NEEDED',
    409,
    `fences of "${unit}" keep legacy from being written past the service while it is in "${phase}": roll back or retire it first`,
  );
export const writesHeld = (unit: string) =>
  new StranglerError(
    'WRITES_HELD',
    409,
    `writes of "${unit}" are changing sides now: leave its fences alone until "strangler status" says that it is over`,
  );
export const fenceAccountTooWide = (database: string, account: string, privileges: readonly string[]) =>
  new StranglerError(
    'FENCE_ACCOUNT_TOO_WIDE',
    409,
    `account "${account}" may write more of database "${database}" than single tables (${privileges.join(', ')}), which cannot be taken from it for some: grant it what it needs on each table, and revoke this`,
  );
