import { normalSegments, type Plan } from '@strangler/contracts';
import type { Accepted } from './accept.js';

/** Whether a request is one that ends a session, by the plan's word. A path that is ambiguous is none. */
export function recogniseLogout({
  proxy,
}: Pick<Plan, 'proxy'>): (accepted: Pick<Accepted, 'method' | 'path'>) => boolean {
  const routes = (proxy.sessionBridge?.logout ?? []).map((pattern) => ({
    methods: pattern.methods as readonly string[],
    segments: normalSegments(pattern, proxy.paths),
  }));
  return ({ method, path }) => {
    if (path === null) return false;
    const given = path === '/' ? [] : path.slice(1).split('/');
    return routes.some(({ methods, segments }) => {
      if (!methods.includes(method) && !methods.includes('*')) return false;
      const hasRest = segments.at(-1)?.kind === 'rest';
      const fixed = hasRest ? segments.slice(0, -1) : segments;
      if (hasRest ? given.length <= fixed.length : given.length !== fixed.length) return false;
      return fixed.every((segment, index) =>
        segment.kind === 'static' ? segment.text === given[index] : given[index] !== '',
      );
    });
  };
}
