/** An error with a stable code, an HTTP status and a sentence that names the subject in quotes and the remedy. */
export class StranglerError extends Error {
  override readonly name = 'StranglerError';
  readonly code: string;
  readonly status: number;
  constructor(code: string, status: number, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
  }
}

export const planUnreadable = (file: string, cause: unknown) =>
  new StranglerError(
    'PLAN_UNREADABLE',
    400,
    `plan "${file}" cannot be read (${reasonOf(cause)}): check the path and its permissions`,
    cause,
  );
export const transitionNotAllowed = (
  migration: string,
  from: string,
  to: string,
  allowed: readonly string[],
) =>
  new StranglerError(
    'PHASE_TRANSITION_NOT_ALLOWED',
    409,
    `migration "${migration}" cannot go from "${from}" to "${to}": allowed from "${from}" is ${allowed.length === 0 ? 'nothing' : allowed.map((phase) => `"${phase}"`).join(' or ')}`,
  );
export const cutoverTransitionNotAllowed = (
  unit: string,
  from: string,
  to: string,
  allowed: readonly string[],
) =>
  new StranglerError(
    'CUTOVER_TRANSITION_NOT_ALLOWED',
    409,
    `cutover of "${unit}" cannot go from "${from}" to "${to}": allowed from "${from}" is ${allowed.length === 0 ? 'nothing' : allowed.map((state) => `"${state}"`).join(' or ')}`,
  );
export const controlUnreachable = (url: string, cause: unknown) =>
  new StranglerError(
    'CONTROL_UNREACHABLE',
    503,
    `control plane "${url}" does not answer (${reasonOf(cause)}): start it with "strangler up --plan FILE" or correct control.listen in the plan`,
    cause,
  );
export const stateNotUnderstood = (url: string, detail: string) =>
  new StranglerError(
    'STATE_NOT_UNDERSTOOD',
    502,
    `control plane "${url}" sent a routing state that this program does not understand (${detail}): run the same version on both sides`,
  );
export const syncNotUnderstood = (status: number) =>
  new StranglerError(
    'SYNC_NOT_UNDERSTOOD',
    502,
    `sync answered "/watermark" with status "${status}" and nothing this program understands: run the same version on both sides`,
  );
export const patternInvalid = (pattern: string, reason: string) =>
  new StranglerError('ROUTE_PATTERN_INVALID', 400, `route "${pattern}" is not a route pattern: ${reason}`);

export const adminHostRefused = (host: string) =>
  new StranglerError(
    'ADMIN_HOST_REFUSED',
    403,
    `host "${host}" is not a name of this machine: ask the admin port as "localhost" or "127.0.0.1"`,
  );
export const adminTokenRefused = () =>
  new StranglerError(
    'ADMIN_TOKEN_REFUSED',
    401,
    'the admin port needs its "adminToken" of the plan: send it as "Authorization: Bearer TOKEN"',
  );

/** The shortest true thing that can be said of anything thrown. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  // Node wraps the errors of several addresses of one name into one without a message.
  if (thrown instanceof AggregateError && thrown.message === '')
    return thrown.errors.map(reasonOf).join(', ');
  const cause =
    thrown.cause instanceof Error && thrown.message === 'fetch failed' ? `: ${reasonOf(thrown.cause)}` : '';
  return `${thrown.message}${cause}`;
}
