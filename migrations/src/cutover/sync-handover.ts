import {
  bearerOf,
  type HandedOver,
  type HandoverWish,
  type Plan,
  type ReachWish,
  type SelfTested,
  type SelfTestWish,
  StranglerError,
  type TailCompared,
  type TailWish,
  urlOf,
} from '@strangler/contracts';
import { answerNotUnderstood, syncNotAsked } from '../errors.js';
import { errorIn, requestJson } from '../evidence/request-json.js';

/** What sync is asked for while sides change. Each throws what sync says, in one sentence. */
export type SyncHandover = {
  reach(migration: string, wish: ReachWish): Promise<void>;
  tail(migration: string, wish: TailWish): Promise<TailCompared>;
  handOver(migration: string, wish: HandoverWish): Promise<HandedOver>;
  selfTest(migration: string, wish: SelfTestWish): Promise<SelfTested>;
};

/** Longer than any deadline in a question: sync itself says that it was too slow. */
const PATIENCE_MS = 5_000;
const SELF_TEST_MS = 30_000;

export function syncHandover({ sync }: Pick<Plan, 'sync'>): SyncHandover {
  const url = urlOf(sync.admin);
  const ask = async <T>(migration: string, verb: string, body: object, timeoutMs: number): Promise<T> => {
    const answer = await requestJson('POST', `${url}/migrations/${encodeURIComponent(migration)}/${verb}`, {
      body,
      timeoutMs,
      headers: bearerOf(sync.adminToken),
    }).catch((cause: unknown) => {
      throw syncNotAsked(url, cause);
    });
    if (answer.status === 200) return answer.body as T;
    const told = errorIn(answer.body);
    if (!told) throw answerNotUnderstood(url, answer.status);
    throw new StranglerError(told.code, answer.status, told.message);
  };
  return {
    reach: async (migration, wish) => {
      await ask(migration, 'reach', wish, wish.deadlineMs + PATIENCE_MS);
    },
    tail: (migration, wish) => ask(migration, 'tail', wish, wish.deadlineMs + PATIENCE_MS),
    handOver: (migration, wish) => ask(migration, 'handover', wish, PATIENCE_MS),
    selfTest: (migration, wish) => ask(migration, 'self-test', wish, SELF_TEST_MS),
  };
}
