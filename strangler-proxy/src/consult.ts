import { generationOf, type PinState, type Plan, type Tester, testerOf } from '@strangler/contracts';
import type { Accepted } from './accept.js';
import { isKept, isPerClient, isRead } from './decide.js';
import type { Flags } from './flags.js';
import { valuesOf } from './headers.js';
import type { Client } from './identify.js';
import type { Route } from './match.js';
import type { OwnWrites } from './own-writes.js';
import type { Pins } from './pins.js';
import { readCookies } from './read-cookies.js';
import type { Routing } from './routing.js';
import type { Leaning, WorkflowSide, WorkflowSides } from './workflow-side.js';
import type { WriteState } from './write-token.js';

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
  /** Whether the service has what the client wrote last; null when it has written nothing of late. */
  readonly ownWrite: WriteState | null;
  /** The workflow that the request belongs to, and on which side the client is in it. */
  readonly workflow: WorkflowSide | undefined;
};

export type ConsultParts = {
  readonly proxy: Pick<Plan['proxy'], 'secret' | 'testers'>;
  readonly flags: Flags;
  readonly pins: Pins;
  readonly ownWrites: OwnWrites;
  readonly workflowSides: WorkflowSides;
  readonly now: () => number;
};

const NOBODY: Consulted = {
  tester: undefined,
  client: undefined,
  flagOn: false,
  enabled: false,
  pin: null,
  ownWrite: null,
  workflow: undefined,
};

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
  const say = ({ name, flag }: Parameters<Leaning>[0]) => ({
    flagOn: client ? flags.isOn(flag, client) : flags.share(flag) === 100,
    enabled: flags.isEnabled(flag),
    pin: client ? pins.read(cookies, name, client, generationOf(routing.state, name)) : null,
  });
  const leaning: Leaning = (migration) => {
    const said = say(migration);
    return { enabled: said.enabled, diverts: said.flagOn || isKept(said) };
  };
  return {
    tester: undefined,
    client,
    ...say({ name: route.migration, flag: route.flag }),
    ownWrite: parts.ownWrites.stateFor(cookies, route, client),
    workflow: parts.workflowSides.sideOf(route.workflows, accepted, routing.state, leaning),
  };
}

/** Who a tester would be without the token: where the flag would put them, what their pin is worth, and whether they have to wait. */
export function standingOf(
  { flags, pins, ownWrites }: Pick<ConsultParts, 'flags' | 'pins' | 'ownWrites'>,
  routing: Routing,
  { cookies }: Accepted,
  route: Route,
  client: Client | undefined,
): {
  readonly bucket: number | null;
  readonly pin: PinState | null;
  readonly ownWrite: WriteState | null;
} {
  return {
    bucket: flags.bucket(route.flag, client),
    pin: client ? pins.read(cookies, route.migration, client, routing.generation(route)) : null,
    ownWrite: ownWrites.stateFor(cookies, route, client),
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
