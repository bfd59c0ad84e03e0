import { type PinState, type Plan, type Tester, testerOf } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { isPerClient, isRead } from './decide.js';
import type { Flags } from './flags.js';
import { valuesOf } from './headers.js';
import type { Client } from './identify.js';
import type { Route } from './match.js';
import type { Pins } from './pins.js';
import { readCookies } from './read-cookies.js';
import type { Routing } from './routing.js';

/** All that has a say in where a request goes, besides route and phase. */
export type Consulted = {
  /** Bearer of a valid token for this migration; then nobody else is asked. */
  readonly tester: Tester | undefined;
  /** Whom the flag decides for; undefined when it is not asked, or the request does not say. */
  readonly client: Client | undefined;
  readonly flagOn: boolean;
  /** A flag that is not enabled has everybody on legacy, whatever pins they hold. */
  readonly enabled: boolean;
  readonly pin: PinState | null;
};

export type ConsultParts = {
  readonly proxy: Pick<Plan['proxy'], 'secret' | 'testers'>;
  readonly flags: Flags;
  readonly pins: Pins;
  readonly now: () => number;
};

const NOBODY: Consulted = { tester: undefined, client: undefined, flagOn: false, enabled: false, pin: null };

/** Asks the tester's token, then the flag and the pin of the client that `identify` finds. It asks only what counts in the phase. */
export function consult(
  parts: ConsultParts,
  routing: Routing,
  accepted: Accepted,
  route: Route | undefined,
  identify: () => Client | undefined,
): Consulted {
  if (route === undefined) return NOBODY;
  const { method, hasBody, cookies } = accepted;
  const phase = routing.phase(route);
  const mayTest = (phase === 'shadow' || phase === 'canary') && isRead(method, hasBody);
  const tester = mayTest ? testerIn(accepted, route, parts) : undefined;
  if (tester) return { ...NOBODY, tester };
  if (!isPerClient(phase, method, hasBody)) return NOBODY;
  const { flags, pins } = parts;
  const client = identify();
  const enabled = flags.isEnabled(route.flag);
  if (!client) return { ...NOBODY, enabled, flagOn: flags.share(route.flag) === 100 };
  return {
    tester: undefined,
    client,
    flagOn: flags.isOn(route.flag, client),
    enabled,
    pin: pins.read(cookies, route.migration, client, routing.generation(route)),
  };
}

/** Who a tester would be without the token: where the flag would put them, and what their pin is worth. */
export function standingOf(
  { flags, pins }: Pick<ConsultParts, 'flags' | 'pins'>,
  routing: Routing,
  { cookies }: Accepted,
  route: Route,
  client: Client | undefined,
): { readonly bucket: number | null; readonly pin: PinState | null } {
  return {
    bucket: flags.bucket(route.flag, client),
    pin: client ? pins.read(cookies, route.migration, client, routing.generation(route)) : null,
  };
}

function testerIn(
  { own, cookies }: Accepted,
  { migration }: Route,
  { proxy: { secret, testers }, now }: ConsultParts,
): Tester | undefined {
  if (!testers || secret === undefined) return undefined;
  const token = 'header' in testers ? valuesOf(own, testers.header)[0] : readCookies(cookies)[testers.cookie];
  const tester = token === undefined ? undefined : testerOf(secret, token, now());
  return tester && (tester.migration === '*' || tester.migration === migration) ? tester : undefined;
}
