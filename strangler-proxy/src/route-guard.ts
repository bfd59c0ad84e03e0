import type { Plan, PlanRoute, TokenRequirement } from '@strangler/contracts';

/** What is done with a request on its way to the service of a route. A route without a guard is plain: its requests go on as they came. */
export type RouteGuard = {
  readonly auth?: TokenRequirement;
  readonly session?: 'required' | 'optional';
};

type Asking = Pick<PlanRoute, 'auth' | 'session'>;
type Guarding = Pick<Plan['proxy'], 'auth' | 'sessionBridge'>;

/** The headers only the proxy may write for a service. `Authorization` is not one: clients have their own. */
export function headersWritten({ auth, sessionBridge }: Guarding): readonly string[] {
  const written = new Set(Object.values(auth).flatMap(({ forward }) => Object.keys(forward)));
  if (sessionBridge && sessionBridge.header !== 'authorization') written.add(sessionBridge.header);
  return [...written];
}

/**
 * The route's own word, else that of its migration. Where the proxy writes headers, every route has a guard: a service that
 * believes them on one route believes them on all.
 */
export function guardOf(proxy: Guarding, migration: Asking, route: Asking): RouteGuard | undefined {
  const auth = (route.auth ?? migration.auth) || undefined;
  const session = (route.session ?? migration.session) || undefined;
  if (!auth && !session && headersWritten(proxy).length === 0) return undefined;
  return { ...(auth && { auth }), ...(session && { session }) };
}
