import type { PlanRoute } from './plan.js';
import { paramOf, type TransformRules } from './transform-schema.js';

export type Complain = (path: readonly (string | number)[], message: string, remedy: string) => void;

/** Whether what a route says of transforms and of gRPC fits its own pattern. */
export function checkTransform(
  { match, transform, grpc }: PlanRoute,
  at: readonly (string | number)[],
  complain: Complain,
): void {
  const params = match.segments.flatMap((segment) => (segment.kind === 'param' ? [segment.name] : []));
  const known =
    params.length === 0
      ? 'the route has no parameter'
      : `use ${params.map((name) => `":${name}"`).join(' or ')}`;
  const need = (param: string | undefined, path: readonly (string | number)[]) => {
    if (param !== undefined && !params.includes(param))
      complain(
        [...at, 'transform', ...path],
        `names ":${param}", which "${match.text}" does not have`,
        known,
      );
  };
  if (transform) {
    for (const part of transform.path ?? []) {
      if (typeof part === 'object' && 'param' in part) need(part.param, ['path']);
      if (typeof part === 'object' && 'rest' in part && match.segments.at(-1)?.kind !== 'rest')
        complain(
          [...at, 'transform', 'path'],
          `ends with "*", and "${match.text}" does not`,
          'name the path without "*", or let the route end with it',
        );
    }
    for (const [path, value] of valuesOf(transform)) need(paramOf(value), path);
  }
  if (!grpc) return;
  for (const name of Object.keys(transform?.query.add ?? {}))
    complain(
      [...at, 'transform', 'query', 'add', name],
      'has no meaning for a gRPC method',
      'map fields under "grpc.fields"',
    );
  if (transform?.path)
    complain([...at, 'transform', 'path'], 'has no meaning for a gRPC method', 'leave it out');
  if (transform?.request.json)
    complain(
      [...at, 'transform', 'request', 'json'],
      'has no meaning for a gRPC method',
      'map the body by "grpc.body" and "grpc.fields"',
    );
}

const valuesOf = ({ query, request, response }: TransformRules): readonly [string[], string][] =>
  [
    [['query', 'add'], query.add] as const,
    [['request', 'headers', 'set'], request.headers.set] as const,
    [['response', 'headers', 'set'], response.headers.set] as const,
  ].flatMap(([path, values]) =>
    Object.entries(values).map(([name, value]): [string[], string] => [[...path, name], value]),
  );
