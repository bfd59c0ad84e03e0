import { type Explanation, StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import { standingOf } from './consult.js';
import { questionInvalid } from './errors.js';
import { recognise } from './identify.js';
import { judge } from './judge.js';
import type { Route } from './match.js';
import type { PipelineParts } from './pipeline.js';

/** Which proxy it is, by the plan and the state it answers with. */
export type Self = NonNullable<Explanation['by']>;

export type ExplainParts = Pick<
  PipelineParts,
  | 'routing'
  | 'identity'
  | 'flags'
  | 'upstreams'
  | 'proxy'
  | 'pins'
  | 'now'
  | 'authenticate'
  | 'ownWrites'
  | 'workflowSides'
>;

/** Where a request would go and why, by the very functions that decide over traffic. Throws EXPLAIN_INVALID. */
export async function explain(
  parts: ExplainParts,
  question: URLSearchParams,
  by: Self,
): Promise<Explanation> {
  const method = (question.get('method') ?? 'GET').toUpperCase();
  const target = question.get('path') ?? '';
  if (!target.startsWith('/'))
    throw questionInvalid(question.toString(), 'it has no path that starts with "/"');
  const headers: string[] = [];
  const cookies: string[] = [];
  for (const [key, value] of question)
    if (key.startsWith('header.')) headers.push(key.slice('header.'.length), value);
    else if (key.startsWith('cookie.')) cookies.push(`${key.slice('cookie.'.length)}=${value}`);
  if (cookies.length > 0) headers.push('cookie', cookies.join('; '));

  const routing = parts.routing.current;
  const head = { method, url: target, rawHeaders: headers, remoteAddress: '', encrypted: false };
  const received = accept(head, routing.paths);
  if (received instanceof StranglerError) throw questionInvalid(question.toString(), received.message);
  const accepted = (await parts.authenticate?.recognise(received)) ?? received;
  const { route, phase, consulted, decision, isHeld } = judge(parts, routing, accepted, () =>
    recognise(accepted, parts.identity),
  );
  const { tester } = consulted;
  const client = tester ? recognise(accepted, parts.identity) : consulted.client;
  const standing = route ? standingOf(parts, routing, accepted, route, client) : { bucket: null, pin: null };
  const share = route ? parts.flags.share(route.flag) : null;
  const unknown =
    decision.perClient && !client && share !== 0 && share !== 100
      ? `; a client without an id is given one and is diverted with a chance of ${share ?? 'an unknown number of'} percent`
      : '';
  return {
    method,
    path: target,
    upstream: decision.upstream,
    shadow: decision.shadow,
    migration: route?.migration ?? null,
    route: route?.text ?? null,
    phase: route ? phase : null,
    flag: route?.flag ?? null,
    client: { kind: client?.kind ?? 'none', bucket: standing.bucket },
    pin: standing.pin,
    tester: tester ? { name: tester.name, side: tester.side } : null,
    reason: `${decision.reason}${unknown}${isHeld ? '; writes are changing sides, so it is held until they have' : ''}${route && decision.side === 'service' ? guardText(route) : ''}`,
    by,
  };
}

function guardText({ guard }: Route): string {
  if (guard?.auth) return `; a token for "${guard.auth.require}" is verified first`;
  return guard?.session ? `; the session is looked up in legacy first (${guard.session})` : '';
}
