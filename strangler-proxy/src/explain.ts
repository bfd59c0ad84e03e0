import { type Explanation, StranglerError } from '@strangler/contracts';
import { accept } from './accept.js';
import { decide, isPerClient } from './decide.js';
import { questionInvalid } from './errors.js';
import { recognise } from './identify.js';
import { match } from './match.js';
import type { PipelineParts } from './pipeline.js';

export type ExplainParts = Pick<PipelineParts, 'routing' | 'identity' | 'flags' | 'upstreams'>;

/** Where a request would go and why, by the very functions that decide over traffic. Throws EXPLAIN_INVALID. */
export function explain(parts: ExplainParts, question: URLSearchParams): Explanation {
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
  const accepted = accept(head, routing.paths);
  if (accepted instanceof StranglerError) throw questionInvalid(question.toString(), accepted.message);
  const { path, hasBody } = accepted;
  const { route } = match(routing.routes, method, path, accepted);
  const phase = routing.phase(route);
  const perClient = route !== undefined && isPerClient(phase, method, hasBody);
  const client = perClient ? recognise(accepted, parts.identity) : undefined;
  const share = route ? parts.flags.share(route.flag) : null;
  const flagOn = perClient && (client ? parts.flags.isOn(route.flag, client) : share === 100);
  const service = parts.upstreams.get(route?.upstream ?? 'legacy').health();
  const decision = decide({ method, path, hasBody, route, phase, flagOn, service });
  const unknown =
    perClient && !client && share !== 0 && share !== 100
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
    client: { kind: client?.kind ?? 'none', bucket: route ? parts.flags.bucket(route.flag, client) : null },
    reason: `${decision.reason}${unknown}`,
  };
}
