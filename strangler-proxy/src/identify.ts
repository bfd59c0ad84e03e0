import { stringifySetCookie } from 'cookie';
import { isSigned, type Plan, sign, type Source } from '@strangler/contracts';
import { type Accepted, COOKIE_NAME } from './accept.js';
import { type Believed, createBelieved } from './believed.js';
import { valuesOf } from './headers.js';
import { type Cookies, readCookies } from './read-cookies.js';

/** Who a flag decides for. `setCookie` is there when the answer must give the client its id. */
export type Client = {
  readonly kind: 'user' | 'anonymous';
  readonly id: string;
  /** What the plan knows of it besides; a flag can stick to the first two and ask for all of them. */
  readonly session?: string;
  readonly tenant?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly setCookie?: string;
};

export type Identity = Pick<Plan['proxy'], 'identity' | 'secret'>;

const ONE_YEAR_S = 31_536_000;

const PURPOSE = 'client';

/** A cookie of the toolkit: for the whole site, for a year unless told otherwise, out of the reach of scripts. */
export const ownCookie = (
  name: string,
  value: string,
  { isSecure }: Pick<Accepted, 'isSecure'>,
  maxAge = ONE_YEAR_S,
): string =>
  stringifySetCookie({
    name,
    value,
    path: '/',
    maxAge,
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure,
  });

/** Whether nothing but the request's cookies tells who somebody is. */
export const hangsOnCookies = ({ identity: { user, session, tenant, properties = {} } }: Identity): boolean =>
  [user, session, tenant, ...Object.values(properties)].every((source) => !source || 'cookie' in source);

type Sources = Pick<Accepted, 'cookies' | 'headers' | 'claims'>;

function traitsOf(
  { headers, claims }: Sources,
  cookies: Cookies,
  { user, session, tenant, properties = {} }: Identity['identity'],
) {
  const said = (source: Source | undefined): string | undefined => {
    if (!source) return undefined;
    const text =
      'cookie' in source
        ? cookies[source.cookie]
        : 'header' in source
          ? valuesOf(headers, source.header)[0]
          : claims && claimText(claims, source.claim);
    return text?.trim() || undefined;
  };
  const given = { session: said(session), tenant: said(tenant) };
  const known = Object.entries(properties)
    .map(([name, source]) => [name, said(source)] as const)
    .filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    user: said(user),
    traits: {
      ...(given.session !== undefined && { session: given.session }),
      ...(given.tenant !== undefined && { tenant: given.tenant }),
      ...(known.length > 0 && { properties: Object.fromEntries(known) }),
    },
  };
}

/** Texts and numbers say who somebody is; nothing else does. */
function claimText(claims: NonNullable<Accepted['claims']>, name: string): string | undefined {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof claim === 'string' || typeof claim === 'number' ? String(claim) : undefined;
}

// By the settings it was signed under, so that a cookie is believed no longer than its secret is in force.
const believed = new WeakMap<Identity, Believed>();

function believedUnder(identity: Identity): Believed {
  let of = believed.get(identity);
  if (!of) believed.set(identity, (of = createBelieved()));
  return of;
}

/** The bearer of a cookie that was signed here. */
function bearerOf(cookies: Cookies, identity: Identity): string | undefined {
  const { secret } = identity;
  const cookie = cookies[COOKIE_NAME] ?? '';
  const [id = '', given = ''] = cookie.split('.');
  if (id === '' || secret === undefined) return undefined;
  const isRight = () => isSigned(secret, PURPOSE, id, given);
  return believedUnder(identity).isRight(`${id}.${given}`, isRight) ? id : undefined;
}

/** The user the request names, else the bearer of a cookie that was signed here; undefined when it has neither. */
export function recognise(accepted: Sources, identity: Identity): Client | undefined {
  return whoIs(accepted, identity).client;
}

/** As `recognise`, but whoever is unknown, or shows a forged cookie, becomes a new anonymous client. */
export function identify(
  accepted: Sources & Pick<Accepted, 'isSecure'>,
  identity: Identity,
  newId: () => string,
): Client {
  const { client, traits } = whoIs(accepted, identity);
  if (client) return client;
  const id = newId();
  if (identity.secret === undefined) return { kind: 'anonymous', id, ...traits };
  const value = `${id}.${sign(identity.secret, PURPOSE, id)}`;
  return { kind: 'anonymous', id, ...traits, setCookie: ownCookie(COOKIE_NAME, value, accepted) };
}

function whoIs(accepted: Sources, identity: Identity) {
  const cookies = readCookies(accepted.cookies);
  const { user, traits } = traitsOf(accepted, cookies, identity.identity);
  const id = user ?? bearerOf(cookies, identity);
  const kind = user === undefined ? 'anonymous' : 'user';
  const client: Client | undefined = id === undefined ? undefined : { kind, id, ...traits };
  return { client, traits };
}
