import type { Comparison, MigrationSync, Phase, RouteEvidence, Verification } from '@strangler/contracts';
import type { Subscriber } from '../control/subscribers.js';
import type { Gate } from '../gates/gate.js';
import type { Cutover } from '../ledger/fold.js';
import type { LedgerEvent } from '../ledger/ledger.js';

export type RouteReport = RouteEvidence & {
  /** False: the plan says that the service is not asked beside legacy on this route. */
  readonly compared: boolean;
  readonly verdict: string;
};

/** Everything that is known of one migration at one time. Null: nobody could say. */
export type MigrationReport = {
  readonly name: string;
  readonly title: string;
  readonly owner: string;
  readonly upstream: string;
  readonly flag: string;
  /** The group it moves with; null: it moves by itself. */
  readonly group: string | null;
  readonly phase: Phase;
  /** When the phase began; null: it never left legacy. */
  readonly since: string | null;
  readonly share: {
    /** Percent of clients, as the ledger decided, as the flag says, as the proxy saw. */
    readonly decided: number | null;
    readonly configured: number | null;
    readonly observedClients: number | null;
    readonly observedRequests: number | null;
    readonly clients: number;
    readonly requests: number;
  };
  readonly served: { readonly legacy: number; readonly service: number; readonly fallback: number } | null;
  readonly serviceFailures: number | null;
  readonly comparisons: Readonly<Record<Comparison, number>> | null;
  readonly cleanSinceMismatch: number;
  readonly verdict: string;
  readonly notCompared: Readonly<Record<string, number>>;
  /** Null: it moves no data, or sync did not answer. */
  readonly sync: MigrationSync | null;
  readonly movesData: boolean;
  readonly verification: (Omit<Verification, 'tables'> & Partial<Pick<Verification, 'tables'>>) | null;
  readonly next: {
    /** As `advance` would do it: `"canary" at 50 %`; null when there is no way on. */
    readonly to: string | null;
    readonly ready: boolean;
    /** Why there is no way on; null when there is one. */
    readonly reason: string | null;
    readonly gates: readonly Gate[];
  };
  /** The newest attempt to move its writes; `left` is what has yet to be done, in order, empty when it is over. */
  readonly cutover: (Cutover & { readonly left: readonly string[] }) | null;
  readonly warnings: readonly string[];
  readonly routes: readonly RouteReport[];
  readonly history: readonly LedgerEvent[];
};

/** Migrations that move as one. */
export type GroupReport = {
  readonly name: string;
  readonly flag: string;
  readonly members: readonly string[];
  /** Of all its migrations; null: they stand apart, since before they were put together. */
  readonly phase: Phase | null;
};

export type Report = {
  readonly at: string;
  readonly plan: { readonly file: string; readonly revision: string };
  readonly stateVersion: number;
  readonly subscribers: readonly Subscriber[];
  readonly programs: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly requests: { readonly total: number; readonly failed: number } | null;
  /** The whole report in a few sentences. */
  readonly summary: readonly string[];
  readonly warnings: readonly string[];
  readonly groups: readonly GroupReport[];
  readonly migrations: readonly MigrationReport[];
};

/** A report without what takes pages: what an operator looks at between two steps. */
export type Status = Omit<Report, 'migrations'> & {
  readonly migrations: readonly Omit<MigrationReport, 'routes' | 'history'>[];
};

export const statusOf = (report: Report): Status => ({
  ...report,
  migrations: report.migrations.map(({ routes: _routes, history: _history, ...migration }) => migration),
});
