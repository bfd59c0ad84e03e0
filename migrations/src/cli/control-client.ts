import {
  bearerOf,
  controlUnreachable,
  type Plan,
  routingStateSchema,
  StranglerError,
  urlOf,
  type Verification,
} from '@strangler/contracts';
import { answerNotUnderstood, GateUnmet, noControl } from '../errors.js';
import { errorIn, type JsonAnswer, requestJson } from '../evidence/request-json.js';
import type { Gate } from '../gates/gate.js';
import type { Report, Status } from '../report/report.js';
import type { AdvanceWish, Moved, RollbackWish, VerifyWish } from '../transition/control.js';

/** What a person at a terminal waits for an answer that needs no data to be read. */
const TIMEOUT_MS = 30_000;

const failureOf = (url: string, { status, body }: JsonAnswer): StranglerError => {
  const told = errorIn(body);
  if (!told) return answerNotUnderstood(url, status);
  const gates = (body as { gates?: readonly Gate[] }).gates;
  return gates ? new GateUnmet(told.message, gates) : new StranglerError(told.code, status, told.message);
};

/** The control plane of a plan, as commands ask it. */
export function controlClient(plan: Plan) {
  if (plan.control === undefined) throw noControl(plan.file);
  const url = urlOf(plan.control.listen);
  const headers = bearerOf(plan.control.adminToken);
  const ask = async (method: 'GET' | 'POST', path: string, body?: unknown, timeoutMs?: number) => {
    const answer = await requestJson(method, `${url}${path}`, {
      headers,
      ...(body === undefined ? {} : { body }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }).catch((cause: unknown) => {
      throw controlUnreachable(url, cause);
    });
    if (answer.status !== 200) throw failureOf(url, answer);
    return answer;
  };
  const of = (migration: string) => `/v1/migrations/${encodeURIComponent(migration)}`;
  return {
    status: async () => (await ask('GET', '/v1/status', undefined, TIMEOUT_MS)).body as Status,
    /** Waits where the ledger has no event yet. */
    state: async () =>
      routingStateSchema.parse((await ask('GET', '/v1/state?after=0', undefined, TIMEOUT_MS)).body),
    report: async () => (await ask('GET', '/v1/report.json', undefined, TIMEOUT_MS)).body as Report,
    advance: async (migration: string, wish: AdvanceWish) =>
      (await ask('POST', `${of(migration)}/advance`, wish, TIMEOUT_MS)).body as Moved,
    rollback: async (migration: string, wish: RollbackWish) =>
      (await ask('POST', `${of(migration)}/rollback`, wish, TIMEOUT_MS)).body as Moved,
    verify: async (migration: string, by: string, wish: VerifyWish = {}) =>
      (await ask('POST', `${of(migration)}/verify`, { by, ...wish })).body as Verification,
  };
}
export type ControlClient = ReturnType<typeof controlClient>;
