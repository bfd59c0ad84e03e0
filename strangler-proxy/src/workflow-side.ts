import { generationOf, isSigned, phaseOf, type Plan, type RoutingState, sign } from '@strangler/contracts';
import { type Accepted, WORKFLOW_COOKIES } from './accept.js';
import type { Workflow } from './compile-workflows.js';
import { ownCookie } from './identify.js';
import { readCookies } from './read-cookies.js';

export type Side = 'legacy' | 'service';

/** Where a client inside a workflow is, and why. */
export type WorkflowSide = {
  readonly workflow: Workflow;
  readonly side: Side;
  /** `writes`: where the writes of the workflow go; `inside`: where the client entered it; `entered`: it enters it now. */
  readonly why: 'writes' | 'inside' | 'entered';
  /** The answer has to renew what the client carries. */
  readonly isDue: boolean;
};

/** What one migration of a workflow would do with the client, asked only in canary. */
export type Leaning = (migration: { readonly name: string; readonly flag: string }) => {
  /** A flag that is not enabled ends every stay on the service. */
  readonly enabled: boolean;
  /** The flag is on for the client, or a pin holds it on the service. */
  readonly diverts: boolean;
};

/** Keeps clients inside a workflow on one side. They carry the side themselves, so it holds in every replica with the same secret. */
export type WorkflowSides = {
  /** The side for a read in canary; undefined when it belongs to no workflow. */
  sideOf(
    workflows: readonly Workflow[],
    accepted: Pick<Accepted, 'method' | 'path' | 'cookies'>,
    state: RoutingState,
    leaning: Leaning,
  ): WorkflowSide | undefined;
  /** The cookie that says on which side the client is inside. */
  give(accepted: Pick<Accepted, 'isSecure'>, at: WorkflowSide, state: RoutingState): string;
};

const PURPOSE = 'workflow';
// A cookie is renewed after this part of the pause that the plan allows, so that few answers bring one.
const RENEWED_AFTER = 0.1;

const cookieOf = ({ name }: Workflow): string => `${WORKFLOW_COOKIES}${name}`;
const generationsOf = ({ migrations }: Workflow, state: RoutingState): readonly number[] =>
  migrations.map(({ name }) => generationOf(state, name));

type Shown = { readonly side: Side; readonly atS: number; readonly generations: readonly number[] };
const textOf = ({ name, migrations }: Workflow, { side, atS, generations }: Shown): string =>
  JSON.stringify([name, migrations.map((migration) => migration.name), side, atS, generations]);

export function createWorkflowSides(
  { proxy: { secret = '' } }: Pick<Plan, 'proxy'>,
  now: () => number,
): WorkflowSides {
  /** What the client carries, if it was given here and says something still. */
  function shownIn(cookies: string, workflow: Workflow, state: RoutingState): Shown | undefined {
    const name = cookieOf(workflow);
    const token = cookies.includes(name) ? readCookies(cookies)[name] : undefined;
    if (token === undefined) return undefined;
    const [given = '', at = '', listed = '', signature = '', ...rest] = token.split('.');
    const shown: Shown = {
      side: given === 's' ? 'service' : 'legacy',
      atS: parseInt(at, 36),
      generations: listed === '' ? [] : listed.split('-').map(Number),
    };
    if (rest.length > 0 || !isSigned(secret, PURPOSE, textOf(workflow, shown), signature)) return undefined;
    // A later generation than ours comes from a replica that has heard of a rollback before us.
    const isStale = generationsOf(workflow, state).some(
      (ours, index) => (shown.generations[index] ?? 0) < ours,
    );
    const isIdle = Math.abs(now() - shown.atS * 1_000) > workflow.idleMs;
    return isStale || isIdle ? undefined : shown;
  }

  function sideIn(workflow: Workflow, cookies: string, state: RoutingState, leaning: Leaning): WorkflowSide {
    if (workflow.hasWrites) return { workflow, side: 'legacy', why: 'writes', isDue: false };
    const leanings = workflow.migrations.map((migration) => {
      const phase = phaseOf(state, migration.name);
      if (phase === 'extracted' || phase === 'retired') return { enabled: true, diverts: true };
      return phase === 'canary' ? leaning(migration) : { enabled: false, diverts: false };
    });
    const mayBeOnService = workflow.isWhole && leanings.every(({ enabled }) => enabled);
    const shown = shownIn(cookies, workflow, state);
    if (shown && (shown.side === 'legacy' || mayBeOnService)) {
      const isDue = now() - shown.atS * 1_000 > workflow.idleMs * RENEWED_AFTER;
      return { workflow, side: shown.side, why: 'inside', isDue };
    }
    const diverts = mayBeOnService && leanings.every((one) => one.diverts);
    return { workflow, side: diverts ? 'service' : 'legacy', why: 'entered', isDue: true };
  }

  return {
    sideOf(workflows, { method, path, cookies }, state, leaning) {
      if (path === null) return undefined;
      const workflow = workflows.find((one) => one.takes(method, path));
      return workflow && sideIn(workflow, cookies, state, leaning);
    },
    give(accepted, { workflow, side }, state) {
      const shown: Shown = {
        side,
        atS: Math.floor(now() / 1_000),
        generations: generationsOf(workflow, state),
      };
      const signature = sign(secret, PURPOSE, textOf(workflow, shown));
      const value = [
        side === 'service' ? 's' : 'l',
        shown.atS.toString(36),
        shown.generations.join('-'),
        signature,
      ];
      return ownCookie(cookieOf(workflow), value.join('.'), accepted, Math.ceil(workflow.idleMs / 1_000));
    },
  };
}
