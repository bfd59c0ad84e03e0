export * from './gates/gate.js';
export { GATES } from './gates/gate-table.js';
export { percentAtMost, ruleOfThree } from './gates/rule-of-three.js';
export type { Ledger, LedgerEvent, LedgerKind, NewLedgerEvent } from './ledger/ledger.js';
export { foldLedger, type Standing } from './ledger/fold.js';
export type { MigrationReport, Report, RouteReport, Status } from './report/report.js';
export type { AdvanceWish, Moved, RollbackWish } from './transition/control.js';
