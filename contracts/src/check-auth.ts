import type { Inconsistency } from './cross-check.js';
import { list, parts, type Parts } from './plan-parts.js';

type Complain = (path: Inconsistency['path'], message: string, remedy: Inconsistency['remedy']) => void;

const ADMIN_PATHS = ['/health', '/ready', '/evidence', '/metrics', '/explain'];

/** What routes ask of tokens and sessions, against what the proxy of the plan can verify. */
export function checkAuth(plan: Parts, complain: Complain): void {
  const proxy = parts(plan['proxy']);
  const auth = parts(proxy['auth']);
  const bridge = proxy['sessionBridge'] === undefined ? undefined : parts(proxy['sessionBridge']);
  const written = new Map<string, string>();

  const identity = parts(proxy['identity']);
  const sources: [readonly (string | number)[], unknown][] = [
    ...['user', 'session', 'tenant'].map((key): [string[], unknown] => [[key], identity[key]]),
    ...Object.entries(parts(identity['properties'])).map(([key, source]): [string[], unknown] => [
      ['properties', key],
      source,
    ]),
  ];
  const issuers = Object.keys(auth);
  const named = identity['auth'];
  if (typeof named === 'string' && auth[named] === undefined)
    complain(
      ['proxy', 'identity', 'auth'],
      `names "${named}", which is not there`,
      `add it under proxy.auth`,
    );
  if (named === undefined && issuers.length !== 1)
    for (const [path, source] of sources)
      if (parts(source)['claim'] !== undefined)
        complain(
          ['proxy', 'identity', ...path],
          issuers.length === 0
            ? 'is a claim, and no token is verified'
            : 'is a claim, and it is open of whose token',
          issuers.length === 0
            ? 'add the issuer of the tokens under proxy.auth: a claim that is not verified is nobody'
            : `add "auth: ${issuers[0] ?? ''}" to proxy.identity`,
        );

  const claimHeader = (header: string, by: string, path: readonly (string | number)[]) => {
    const other = written.get(header);
    if (other !== undefined && other !== by)
      complain(path, `"${header}" is already written by ${other}`, 'give each a header of its own');
    written.set(header, by);
  };
  const header = bridge?.['header'];
  if (typeof header === 'string' && header !== 'authorization')
    claimHeader(header.toLowerCase(), 'the session bridge', ['proxy', 'sessionBridge', 'header']);
  for (const [name, issuer] of Object.entries(auth))
    for (const forwarded of Object.keys(parts(parts(issuer)['forward'])))
      if (written.get(forwarded.toLowerCase()) === 'the session bridge')
        claimHeader(forwarded.toLowerCase(), `auth "${name}"`, ['proxy', 'auth', name, 'forward', forwarded]);

  const upstreams = parts(plan['upstreams']);
  for (const upstream of Object.keys(parts(parts(bridge?.['token'])['audience'])))
    if (upstreams[upstream] === undefined)
      complain(
        ['proxy', 'sessionBridge', 'token', 'audience', upstream],
        'is not an upstream',
        `add "${upstream}" under upstreams, or correct the name`,
      );
  const adminPath = parts(bridge?.['jwks'])['admin'];
  if (typeof adminPath === 'string' && ADMIN_PATHS.includes(adminPath))
    complain(
      ['proxy', 'sessionBridge', 'jwks', 'admin'],
      'is a path of the admin port',
      'choose another one, such as "/jwks.json"',
    );

  const check = (subject: Parts, inherited: Parts, at: readonly (string | number)[]) => {
    const { auth: own, session: ownSession } = subject;
    const required = typeof own === 'string' ? own : parts(own)['require'];
    if (typeof required === 'string' && auth[required] === undefined)
      complain(
        [...at, 'auth'],
        `names "${required}", which is not there`,
        `add "${required}" under proxy.auth`,
      );
    if (typeof ownSession === 'string' && bridge === undefined)
      complain([...at, 'session'], 'needs a bridge', 'add "sessionBridge" to the proxy');
    const isOn = (key: 'auth' | 'session') => Boolean(subject[key] ?? inherited[key]);
    if (isOn('auth') && isOn('session') && (own !== undefined || ownSession !== undefined))
      complain(
        [...at, own === undefined ? 'session' : 'auth'],
        'asks for a token and for a session',
        'ask for one, or write two routes of which one has "when: { header: { authorization: true } }"',
      );
  };
  for (const [name, value] of Object.entries(parts(plan['migrations']))) {
    const migration = parts(value);
    check(migration, {}, ['migrations', name]);
    for (const [index, route] of list(migration['routes']).entries())
      check(parts(route), migration, ['migrations', name, 'routes', index]);
  }
}
