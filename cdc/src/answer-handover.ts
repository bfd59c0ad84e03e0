import type { IncomingMessage } from 'node:http';
import {
  type HandedOver,
  handoverWish,
  reachWish,
  type SelfTested,
  selfTestWish,
  type TailCompared,
  tailWish,
} from '@strangler/contracts';
import { bodyOf } from './body-of.js';
import { wishInvalid } from './errors.js';
import type { MigrationStreams } from './migration-streams.js';

/** What a cutover asks of the streams of a migration. */
export type Handover = Pick<MigrationStreams, 'reach' | 'tail' | 'handOver' | 'selfTest'>;

export const HANDOVER_VERBS = ['reach', 'tail', 'handover', 'self-test'] as const;
export type HandoverVerb = (typeof HANDOVER_VERBS)[number];

/** Nothing of ours takes longer to tell. */
const SELF_TEST_MS = 60_000;

/** Answers `POST /migrations/NAME/reach`, `/tail`, `/handover` and `/self-test`. */
export async function answerHandover(
  streams: Handover,
  request: IncomingMessage,
  verb: HandoverVerb,
): Promise<TailCompared | HandedOver | SelfTested | { readonly reached: true }> {
  const body = await bodyOf(request);
  if (verb === 'tail') return streams.tail(parsed(tailWish, body));
  if (verb === 'handover') return streams.handOver(parsed(handoverWish, body));
  if (verb === 'self-test')
    return streams.selfTest(parsed(selfTestWish, body), AbortSignal.timeout(SELF_TEST_MS));
  await streams.reach(parsed(reachWish, body));
  return { reached: true };
}

type Schema<Wish> = {
  safeParse(body: unknown): {
    readonly data?: Wish | undefined;
    readonly error?:
      | { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
      | undefined;
  };
};

function parsed<Wish>(schema: Schema<Wish>, body: unknown): Wish {
  const { data, error } = schema.safeParse(body);
  if (error || data === undefined)
    throw wishInvalid(
      (error?.issues ?? [])
        .map(({ path, message }) => `${path.map(String).join('.') || 'the body'}: ${message}`)
        .join('; '),
    );
  return data;
}
