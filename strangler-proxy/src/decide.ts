import type { Phase } from '@strangler/contracts';
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
};

const isRead = (method: string, hasBody: boolean): boolean =>
  (method === 'GET' || method === 'HEAD') && !hasBody;

/** Whether the flag decides: reads of a migration in canary. A flag never moves writes. */
export const isPerClient = (phase: Phase, method: string, hasBody: boolean): boolean =>
  phase === 'canary' && isRead(method, hasBody);

/** Pure: the same question has the same answer. */
// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, the compiler holds it to that
export function decide({ method, path, hasBody, route, phase, flagOn, service }: Question): Decision {
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
    case 'canary':
      if (!isRead(method, hasBody))
        return legacy(
          `migration "${migration}" is in canary: only reads are diverted, writes stay on legacy`,
        );
      if (!flagOn) return legacy(`flag "${flag}" is off for this client`, { shadow, perClient: true });
      if (!service.healthy)
        return legacy(
          `flag "${flag}" is on for this client, but "${upstream}" is not healthy (${service.reason ?? 'no reason given'})`,
          { perClient: true },
        );
      return {
        upstream,
        side: 'service',
        shadow: false,
        fallback: true,
        perClient: true,
        reason: `flag "${flag}" is on for this client`,
      };
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
