import murmurhash from 'murmurhash3js';
import { type Context, Strategy } from 'unleash-client';
import type { Client } from './identify.js';

/** Field of the context that holds the client's own id. Unleash's fields have other names. */
const OWN_ID = 'stranglerClient';

/** A client as Unleash knows clients. */
export function contextOf({ kind, id, session, tenant, properties }: Client): Context {
  return {
    [OWN_ID]: id,
    ...(kind === 'user' ? { userId: id } : { sessionId: id }),
    ...(session !== undefined && { sessionId: session }),
    properties: { ...properties, ...(tenant !== undefined && { tenant }) },
  };
}

/**
 * What a rollout tells clients apart by. Where the request does not have the field, the client's own id takes its place: Unleash
 * alone answers "off" then, even at 100 %. The own id also comes before a session, which ends, and its client would change sides.
 */
export function stickTo(stickiness: string, context: Context, random = Math.random): string {
  const own = textOf(context[OWN_ID]);
  if (stickiness === 'random') return String(random());
  if (stickiness === 'default')
    return own || textOf(context.userId) || textOf(context.sessionId) || String(random());
  return textOf(context[stickiness] ?? context.properties?.[stickiness]) || own;
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : value instanceof Date
      ? value.toISOString()
      : '';

/** docs.getunleash.io, "Stickiness": murmur3 (x86, 32 bit) of "groupId:id", modulo 100, counted from 1. */
export const bucketOf = (groupId: string, id: string): number =>
  (murmurhash.x86.hash32(`${groupId}:${id}`, 0) % 100) + 1;

/** Unleash's gradual rollout, with a place for every client. */
export class StickyStrategy extends Strategy {
  constructor() {
    super('flexibleRollout');
  }

  override isEnabled(parameters: Record<string, unknown>, context: Context): boolean {
    const share = Number(parameters['rollout']);
    const id = stickTo(textOf(parameters['stickiness']) || 'default', context);
    return id !== '' && share > 0 && bucketOf(textOf(parameters['groupId']), id) <= share;
  }
}
