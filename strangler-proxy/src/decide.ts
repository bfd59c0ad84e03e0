import type { Phase, PinState, Tester } from '@strangler/contracts';
import type { Route } from './match.js';

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
  /** The flag was asked for this client. */
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
  const { method, path, hasBody, route, phase, flagOn, service, tester } = question;
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
      const why = isHeld
        ? `flag "${flag}" is off for this client, which has been on "${upstream}" before and stays there`
        : `flag "${flag}" is on for this client`;
      if (!flagOn && !isHeld)
        return legacy(`flag "${flag}" is off for this client`, { shadow, perClient: true });
      if (!service.healthy)
        return legacy(`${why}, but "${upstream}" is not healthy (${service.reason ?? 'no reason given'})`, {
          perClient: true,
        });
      return {
        upstream,
        side: 'service',
        shadow: false,
        fallback: true,
        perClient: true,
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
