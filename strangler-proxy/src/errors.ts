// Long: every error of the package in one file, so that its table in the README can be read against it.

import { StranglerError, reasonOf } from '@strangler/contracts';

export const requestRefused = (request: string, reason: string) =>
  new StranglerError(
    'PROXY_REQUEST_REFUSED',
    400,
    `request "${request}" has more than one meaning (${reason}): send it with one`,
  );
export const pathAmbiguous = (request: string) =>
  new StranglerError(
    'PROXY_PATH_AMBIGUOUS',
    400,
    `request "${request}" has a path that two servers can read differently: send it plain, without encoded letters or separators, dot segments, "//", ";" or "\\"`,
  );
export const requestLooped = (request: string, pseudonym: string) =>
  new StranglerError(
    'PROXY_LOOP',
    508,
    `request "${request}" has passed "${pseudonym}" already: an upstream sends its requests back to the proxy, correct its url in the plan`,
  );
export const tlsFilesInvalid = (certificate: string, cause: unknown) =>
  new StranglerError(
    'PROXY_TLS_INVALID',
    400,
    `certificate "${certificate}" cannot be used (${reasonOf(cause)}): see that proxy.tls.cert and proxy.tls.key are PEM files that belong together`,
    cause,
  );
export const requestMalformed = (code: string) =>
  new StranglerError(
    'PROXY_REQUEST_MALFORMED',
    400,
    `the bytes of a request are not HTTP/1.1 ("${code}"): send it as RFC 9112 writes it`,
  );
export const headTooLarge = (limit: string, key: string) =>
  new StranglerError(
    'PROXY_HEAD_TOO_LARGE',
    431,
    `the head of the request has more than "${limit}": send fewer or shorter headers, or raise proxy.limits.${key} in the plan`,
  );
export const targetTooLong = (bytes: number) =>
  new StranglerError(
    'PROXY_TARGET_TOO_LONG',
    414,
    `the target of the request has more than "${bytes}" bytes: shorten it or raise proxy.limits.targetBytes in the plan`,
  );
export const bodyTooLarge = (bytes: number) =>
  new StranglerError(
    'PROXY_BODY_TOO_LARGE',
    413,
    `the body of the request has more than "${bytes}" bytes: send less or raise limits.bodyBytes in the plan`,
  );
export const tooManyRequests = (by: string) =>
  new StranglerError(
    'PROXY_RATE_LIMITED',
    429,
    `there were more requests than the rate limit by "${by}" allows: send them again after the seconds in Retry-After`,
  );
export const overloaded = (key: string) =>
  new StranglerError(
    'PROXY_OVERLOADED',
    503,
    `the proxy has more to do than "proxy.overload.${key}" in the plan allows: send the request again in a moment`,
  );
export const upstreamFull = (upstream: string) =>
  new StranglerError(
    'PROXY_UPSTREAM_FULL',
    503,
    `upstream "${upstream}" has as many requests as its maxInFlight in the plan allows: send the request again in a moment`,
  );
export const holdFull = (migration: string, limit: string) =>
  new StranglerError(
    'PROXY_HOLD_FULL',
    503,
    `the writes of "${migration}" are changing sides, and as many of them wait as proxy.hold.${limit} in the plan allows: send the request again in a moment`,
  );
export const holdTimeout = (migration: string, milliseconds: number) =>
  new StranglerError(
    'PROXY_HOLD_TIMEOUT',
    503,
    `the writes of "${migration}" are changing sides, and this one has waited for "${milliseconds}" ms without being sent: send it again in a moment`,
  );
export const proxyStopping = (migration: string) =>
  new StranglerError(
    'PROXY_STOPPING',
    503,
    `the writes of "${migration}" are changing sides, and this proxy stops without having sent this one: send it again`,
  );
export const writeLate = (migration: string) =>
  new StranglerError(
    'PROXY_WRITE_LATE',
    503,
    `the writes of "${migration}" have begun to change sides, and this one was not sent in time: send it again in a moment`,
  );
export const writeUnknown = (migration: string, upstream: string, cause: unknown) =>
  new StranglerError(
    'PROXY_WRITE_UNKNOWN',
    503,
    `the writes of "${migration}" were changing sides when upstream "${upstream}" gave no answer to this one: look whether it was done before you send it again`,
    cause,
  );
export const staleEpoch = (migration: string, upstream: string) =>
  new StranglerError(
    'PROXY_STALE_EPOCH',
    503,
    `the writes of "${migration}" have changed sides, which this proxy had not heard of, and upstream "${upstream}" has done nothing: send the request again in a moment`,
  );
export const headTimeout = (milliseconds: number) =>
  new StranglerError(
    'PROXY_HEAD_TIMEOUT',
    408,
    `the head of the request did not arrive within "${milliseconds}" ms: send it faster or raise proxy.limits.headMs in the plan`,
  );
export const connectionsFull = () =>
  new StranglerError(
    'PROXY_CONNECTIONS_FULL',
    503,
    'there are as many connections as "proxy.limits.connections" in the plan allows: wait or raise it',
  );
export const tooManyConnections = () =>
  new StranglerError(
    'PROXY_CONNECTIONS_PER_CLIENT',
    503,
    'an address has as many connections as "proxy.limits.connectionsPerClient" in the plan allows: use them again or raise it',
  );
export const upstreamRefused = (upstream: string, cause?: unknown) =>
  new StranglerError(
    'PROXY_UPSTREAM_REFUSED',
    502,
    `upstream "${upstream}" could not be connected to${codeOf(cause)}: see that it runs and that its url in the plan is right`,
    cause,
  );
export const upstreamReset = (upstream: string, cause?: unknown) =>
  new StranglerError(
    'PROXY_UPSTREAM_RESET',
    502,
    `upstream "${upstream}" took the request and broke off before the head of an answer${codeOf(cause)}: see its log`,
    cause,
  );
export const upstreamUntrusted = (upstream: string, cause?: unknown) =>
  new StranglerError(
    'PROXY_UPSTREAM_UNTRUSTED',
    502,
    `upstream "${upstream}" could not be spoken TLS with${codeOf(cause)}: see its tls.ca, tls.servername, tls.cert and tls.key in the plan`,
    cause,
  );
export const connectTimeout = (upstream: string, milliseconds: number) =>
  new StranglerError(
    'PROXY_CONNECT_TIMEOUT',
    504,
    `upstream "${upstream}" took no connection within ${milliseconds} ms: see that it runs or raise its timeouts.connectMs in the plan`,
  );
export const upstreamTimeout = (upstream: string, milliseconds: number) =>
  new StranglerError(
    'PROXY_UPSTREAM_TIMEOUT',
    504,
    `upstream "${upstream}" sent no head of an answer within ${milliseconds} ms: see its log or raise its timeouts.headMs in the plan`,
  );
export const answerIdle = (upstream: string, milliseconds: number) =>
  new StranglerError(
    'PROXY_ANSWER_IDLE',
    504,
    `upstream "${upstream}" sent nothing for ${milliseconds} ms in the middle of an answer: see its log or raise its timeouts.idleMs in the plan (0: never)`,
  );
export const answerTimeout = (upstream: string, milliseconds: number) =>
  new StranglerError(
    'PROXY_ANSWER_TIMEOUT',
    504,
    `upstream "${upstream}" did not end its answer within ${milliseconds} ms: see its log or raise its timeouts.bodyMs in the plan (0: never)`,
  );
export const tlsUnusable = (path: string, cause: unknown) =>
  new StranglerError(
    'TLS_UNUSABLE',
    400,
    `"${path}" of the plan cannot be used (${reasonOf(cause)}): correct the paths of its PEM files`,
    cause,
  );
export const answerCut = (upstream: string, cause?: unknown) =>
  new StranglerError(
    'PROXY_ANSWER_CUT',
    502,
    `upstream "${upstream}" broke off in the middle of an answer: see its log`,
    cause,
  );
export const tokenMissing = (auth: string) =>
  new StranglerError(
    'PROXY_TOKEN_MISSING',
    401,
    `stage "auth" found no token for "${auth}": send one as "Authorization: Bearer TOKEN"`,
  );
export const tokenInvalid = (auth: string, reason: string) =>
  new StranglerError(
    'PROXY_TOKEN_INVALID',
    401,
    `stage "auth" refused the token for "${auth}" (${reason}): get a new one`,
  );
export const scopeMissing = (auth: string) =>
  new StranglerError(
    'PROXY_SCOPE_MISSING',
    403,
    `stage "auth" took the token for "${auth}", but it has not all scopes this needs: ask for them`,
  );
export const claimNotEnough = (auth: string, claim: string) =>
  new StranglerError(
    'PROXY_CLAIM_NOT_ENOUGH',
    403,
    `stage "auth" took the token for "${auth}", but its claim "${claim}" is not enough for this: use another account`,
  );
export const authUnavailable = (auth: string) =>
  new StranglerError(
    'PROXY_AUTH_UNAVAILABLE',
    503,
    `stage "auth" has no key for this token of "${auth}" and cannot get it: try again, and see that its issuer answers`,
  );
export const issuerLost = (auth: string, reason: string, hasKeys: boolean) =>
  new StranglerError(
    'AUTH_ISSUER_LOST',
    503,
    `keys of auth "${auth}" cannot be fetched (${reason}): ${hasKeys ? 'the last ones stay in force' : 'no token can be verified'}, see that its issuer runs and that proxy.auth in the plan is right`,
  );
export const sessionMissing = () =>
  new StranglerError(
    'PROXY_SESSION_MISSING',
    401,
    'stage "session" found nobody logged in: log in at the application and ask again',
  );
export const sessionUnavailable = () =>
  new StranglerError(
    'PROXY_SESSION_UNAVAILABLE',
    503,
    'stage "session" could not ask "legacy" whose session this is: try again, and see that proxy.sessionBridge.introspect answers',
  );
export const csrfRefused = (reason: string) =>
  new StranglerError(
    'PROXY_CSRF_REFUSED',
    403,
    `stage "session" cannot tell that the user wants this request (${reason}): send it from a page of the application, with its token`,
  );
export const identityKeyInvalid = (key: string, reason: string, cause?: unknown) =>
  new StranglerError(
    'IDENTITY_KEY_INVALID',
    400,
    `key "${key}" of proxy.sessionBridge.token cannot be used (${reason}): make one with "openssl genpkey -algorithm ed25519"`,
    cause,
  );
export const jsonTooLarge = (route: string, bytes: number) =>
  new StranglerError(
    'PROXY_BODY_TOO_LARGE',
    413,
    `route "${route}" takes a JSON body of at most ${bytes} bytes: send less or raise its maxBodyBytes in the plan`,
  );
export const bodyNotJson = (route: string) =>
  new StranglerError(
    'PROXY_BODY_NOT_JSON',
    400,
    `route "${route}" got a body that is not the JSON it says it is: correct the body or its content-type`,
  );
export const encodingUnknown = (route: string) =>
  new StranglerError(
    'PROXY_ENCODING_UNKNOWN',
    415,
    `route "${route}" got a body whose content-encoding cannot be undone: send it without one`,
  );
export const transformFailed = (upstream: string, reason: string) =>
  new StranglerError(
    'PROXY_TRANSFORM_FAILED',
    502,
    `answer of upstream "${upstream}" could not be transformed (${reason}): correct the service or the transform in the plan`,
  );
export const fieldInvalid = (route: string, reason: string) =>
  new StranglerError(
    'PROXY_FIELD_INVALID',
    400,
    `route "${route}" got a request that does not fit its message (${reason}): correct the request`,
  );
export const grpcInvalid = (route: string, reason: string, cause?: unknown) =>
  new StranglerError(
    'GRPC_INVALID',
    400,
    `route "${route}" cannot be asked by gRPC (${reason}): correct the proto file or the names in the plan`,
    cause,
  );
export const portUnavailable = (address: string, cause: unknown) =>
  new StranglerError(
    'PROXY_PORT_UNAVAILABLE',
    500,
    `"${address}" cannot be listened on (${reasonOf(cause)}): end the program that holds it or choose another port`,
    cause,
  );
export const workersFailed = (worker: number, end: string) =>
  new StranglerError(
    'PROXY_WORKERS_FAILED',
    500,
    `worker "${worker}" of the proxy could not start (${end}): its own lines before this one say why`,
  );
export const transportMisplaced = () =>
  new StranglerError(
    'PROXY_TRANSPORT_MISPLACED',
    500,
    'transport "undici" did not land right before the last pass of httpxy: install the pinned versions of http-proxy-middleware and httpxy',
  );
export const pathUnknown = (path: string) =>
  new StranglerError(
    'ADMIN_PATH_UNKNOWN',
    404,
    `path "${path}" is not served here: ask /health, /ready, /metrics, /evidence or /explain`,
  );
export const methodNotAllowed = (method: string) =>
  new StranglerError(
    'ADMIN_METHOD_NOT_ALLOWED',
    405,
    `method "${method}" changes nothing here: the admin port only answers GET`,
  );
export const questionInvalid = (question: string, reason: string) =>
  new StranglerError(
    'EXPLAIN_INVALID',
    400,
    `question "${question}" cannot be explained (${reason}): ask /explain?method=GET&path=/x`,
  );
export const flagsInvalid = (file: string, cause: unknown) =>
  new StranglerError(
    'FLAGS_INVALID',
    400,
    `flags "${file}" cannot be read (${reasonOf(cause)}): the last good version stays in force, correct the file`,
    cause,
  );
export const flagServerLost = (url: string, reason: string) =>
  new StranglerError(
    'FLAG_SERVER_LOST',
    503,
    `unleash "${url}" cannot be used (${reason}): the last known flags stay in force, see that it runs and that flags.unleash in the plan is right`,
  );
export const stateFileInvalid = (file: string, cause: unknown) =>
  new StranglerError(
    'STATE_FILE_INVALID',
    400,
    `state file "${file}" cannot be used (${reasonOf(cause)}): everything is on legacy until the control plane answers`,
    cause,
  );

/** The code alone: the message of a system error names addresses that are nobody's business outside. */
function codeOf(cause: unknown): string {
  const errors = [cause, ...(cause instanceof AggregateError ? (cause.errors as unknown[]) : [])];
  const codes = errors.map((error) => (error as NodeJS.ErrnoException | undefined)?.code);
  const code = codes.find((each) => typeof each === 'string');
  return code === undefined ? '' : ` (${code})`;
}
