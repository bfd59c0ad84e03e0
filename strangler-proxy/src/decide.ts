import type { Phase, PinState, Tester } from '@strangler/contracts';
import type { Route } from './match.js';
import type { WorkflowSide } from './workflow-side.js';
import type { WriteState } from './write-token.js';

export type Health = { readonly healthy: boolean; readonly reason: string | null };

/** Where a request goes, and why. */
export type Decision = {
  /** Name of the upstream. */
  readonly upstream: string;
  readonly side: 'legacy' | 'service';
  /** The service is asked as well, and nobody gets its answer. */
  readonly shadow: boolean;
  /** Legacy may answer in place of a service that cannot. */
  readonly fallback: boolean;
  /** The flag decided for this client; not a workflow it is in, nor a write of its own. */
  readonly perClient: boolean;
  /** One sentence. */
  readonly reason: string;
};

export type Question = {
  readonly method: string;
  readonly path: string | null;
  readonly hasBody: boolean;
  readonly route: Route | undefined;
  readonly phase: Phase;
  /** The flag's answer for this client; asked only when `isPerClient`. */
  readonly flagOn: boolean;
  readonly service: Health;
  /** What the client's pin is worth, and whether the flag is enabled at all: without that no pin counts. */
  readonly pin?: PinState | null;
  readonly enabled?: boolean;
  /** Bearer of a valid token; it has a say over reads in shadow and canary. */
  readonly tester?: Tester | undefined;
  /** What has become of the client's last write; while the service may not have it, reads stay on legacy. */
  readonly ownWrite?: WriteState | null;
  /** The workflow the request belongs to; then the flag decides only when the client enters it. */
  readonly workflow?: WorkflowSide | undefined;
};

export const isRead = (method: string, hasBody: boolean): boolean =>
  (method === 'GET' || method === 'HEAD') && !hasBody;

/** Whether the flag decides: reads of a migration in canary. A flag never moves writes. */
export const isPerClient = (phase: Phase, method: string, hasBody: boolean): boolean =>
  phase === 'canary' && isRead(method, hasBody);

/** Whether only its pin keeps the client on the service. A flag that is not enabled sends everybody back, pinned or not. */
export const isKept = ({
  flagOn,
  pin,
  enabled = false,
}: Pick<Question, 'flagOn' | 'pin' | 'enabled'>): boolean => !flagOn && enabled && pin === 'held';

/** Pure: the same question has the same answer. */
export function decide(question: Question): Decision {
  const { method, path, hasBody, route, phase, flagOn, service, tester, workflow } = question;
  const legacy = (reason: string, rest: Partial<Decision> = {}): Decision => ({
    upstream: 'legacy',
    side: 'legacy',
    shadow: false,
    fallback: false,
    perClient: false,
    reason,
    ...rest,
  });
  if (path === null) return legacy('the path can be read in two ways, so it stays on legacy byte for byte');
  if (!route) return legacy('no migration of the plan has this route');
  const { migration, upstream, flag } = route;
  // Only a plain GET is asked twice: it is the one method that must not change anything.
  const shadow = route.shadow && method === 'GET' && !hasBody;

  if (tester && (phase === 'shadow' || phase === 'canary') && isRead(method, hasBody)) {
    if (tester.side === 'legacy') return legacy(`tester "${tester.name}" asked for legacy`, { shadow });
    return service.healthy
      ? {
          upstream,
          side: 'service',
          shadow: false,
          fallback: true,
          perClient: false,
          reason: `tester "${tester.name}" asked for the service`,
        }
      : legacy(
          `tester "${tester.name}" asked for the service, but "${upstream}" is not healthy (${service.reason ?? 'no reason given'})`,
        );
  }

  switch (phase) {
    case 'legacy':
      return legacy(`migration "${migration}" has not begun`);
    case 'syncing':
      return legacy(`migration "${migration}" is copying data, legacy answers`);
    case 'shadow':
      return shadow
        ? legacy(
            `migration "${migration}" is in shadow: legacy answers, "${upstream}" is asked and compared`,
            {
              shadow,
            },
          )
        : legacy(`migration "${migration}" is in shadow, and this request is not asked twice`);
    case 'canary': {
      if (!isRead(method, hasBody))
        return legacy(
          `migration "${migration}" is in canary: only reads are diverted, writes stay on legacy`,
        );
      const isHeld = isKept(question);
      const perClient = workflow === undefined || isByFlag(workflow, flag);
      const why = workflow
        ? whyInside(workflow)
        : isHeld
          ? `flag "${flag}" is off for this client, which has been on "${upstream}" before and stays there`
          : `flag "${flag}" is ${flagOn ? 'on' : 'off'} for this client`;
      const isWaiting = question.ownWrite === 'waiting';
      if (workflow ? workflow.side === 'legacy' : !flagOn && !isHeld)
        // What the service cannot have yet is no mismatch.
        return legacy(why, { shadow: shadow && !isWaiting, perClient });
      if (isWaiting)
        return legacy(
          `${why}, but it has just written and "${upstream}" may not have that write yet: legacy answers until it has`,
        );
      if (!service.healthy)
        return legacy(`${why}, but "${upstream}" is not healthy (${service.reason ?? 'no reason given'})`, {
          perClient,
        });
      return {
        upstream,
        side: 'service',
        shadow: false,
        fallback: true,
        perClient,
        reason: why,
      };
    }
    case 'extracted':
    case 'retired':
      return {
        upstream,
        side: 'service',
        shadow: false,
        fallback: false,
        perClient: false,
        reason: `migration "${migration}" is ${phase}: "${upstream}" serves it`,
      };
  }
}

const isByFlag = ({ why, workflow: { migrations } }: WorkflowSide, flag: string): boolean =>
  why === 'entered' && migrations.every((migration) => migration.flag === flag);

function whyInside({ workflow: { name, migrations, isWhole }, side, why }: WorkflowSide): string {
  if (why === 'writes')
    return `workflow "${name}" has writes, which go to legacy, and its reads stay with them`;
  if (why === 'inside')
    return `the client is inside workflow "${name}", which it entered on ${side === 'legacy' ? 'legacy' : 'the service'}`;
  if (side === 'service') return `the client enters workflow "${name}", and every migration of it diverts it`;
  const names = migrations.map((migration) => `"${migration.name}"`).join(', ');
  return `the client enters workflow "${name}", and ${isWhole ? `not every migration of it (${names}) diverts it` : 'a part of it belongs to no migration'}`;
}
