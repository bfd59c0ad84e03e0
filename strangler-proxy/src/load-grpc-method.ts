import { existsSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Method, Type } from 'protobufjs';
import { type GrpcRules, type Plan, type Problem, reasonOf, type Segment } from '@strangler/contracts';
import { grpcInvalid } from './errors.js';
import { fieldOf } from './grpc-message.js';

export type GrpcMethod = {
  /** `/shop.Items/GetItem` */
  readonly path: string;
  readonly request: Type;
  readonly response: Type;
  readonly streams: boolean;
};
export type GrpcRoute = {
  readonly text: string;
  readonly rules: GrpcRules;
  readonly segments: readonly Segment[];
};

/** Reads the proto file of a route and checks all that the route says of it. Throws GRPC_INVALID. */
export async function loadGrpcMethod(
  folder: string,
  { text, rules, segments }: GrpcRoute,
): Promise<GrpcMethod> {
  // Loaded for plans that have such a route, and for no others.
  const { default: protobuf } = await import('protobufjs');
  const file = resolve(folder, rules.proto);
  const root = new protobuf.Root();
  const folders = [dirname(file), ...rules.include.map((each) => resolve(folder, each))];
  root.resolvePath = (origin, target) =>
    isAbsolute(target)
      ? target
      : (folders.map((each) => resolve(each, target)).find((path) => existsSync(path)) ??
        protobuf.util.path.resolve(origin, target));
  const invalid = (reason: string, cause?: unknown) => grpcInvalid(text, reason, cause);
  let method: Method | undefined;
  try {
    await root.load(file);
    root.resolveAll();
    const found = root.lookupService(rules.service);
    method = Object.hasOwn(found.methods, rules.method) ? found.methods[rules.method] : undefined;
  } catch (error) {
    throw invalid(reasonOf(error), error);
  }
  if (!method) throw invalid(`"${rules.service}" has no method "${rules.method}"`);
  if (method.requestStream) throw invalid(`"${rules.method}" takes a stream of requests`);
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!request || !response) throw invalid(`"${rules.method}" names a message that is not there`);

  const params = segments.flatMap((segment) => (segment.kind === 'param' ? [segment.name] : []));
  const named = [
    ...params.map((name) => rules.fields[name] ?? name),
    ...Object.values(rules.fields),
    ...(rules.body === undefined || rules.body === '*' ? [] : [rules.body]),
  ];
  for (const field of named)
    if (!hasField(request, field)) throw invalid(`message "${request.name}" has no field "${field}"`);
  if (rules.responseBody !== undefined && !hasField(response, rules.responseBody))
    throw invalid(`message "${response.name}" has no field "${rules.responseBody}"`);
  return {
    path: `/${rules.service}/${method.name}`,
    request,
    response,
    streams: method.responseStream === true,
  };
}

function hasField(type: Type, path: string): boolean {
  const [name = '', ...rest] = path.split('.');
  const field = fieldOf(type, name)?.resolve();
  if (!field || rest.length === 0) return field !== undefined;
  return field.resolvedType !== null && 'fields' in field.resolvedType
    ? hasField(field.resolvedType, rest.join('.'))
    : false;
}

export type PlacedGrpcRoute = GrpcRoute & { readonly upstream: string; readonly at: string };

export const grpcRoutesOf = ({ migrations }: Pick<Plan, 'migrations'>): readonly PlacedGrpcRoute[] =>
  Object.entries(migrations).flatMap(([migration, { routes, upstream }]) =>
    routes.flatMap(({ match: { text, segments }, grpc: rules }, index) =>
      rules ? [{ text, rules, segments, upstream, at: `migrations.${migration}.routes[${index}].grpc` }] : [],
    ),
  );

/** What is wrong with the proto files of a plan, without a connection to anything. */
export async function checkGrpc(plan: Plan): Promise<Problem[]> {
  const found = grpcRoutesOf(plan).map(async (route): Promise<Problem[]> => {
    try {
      await loadGrpcMethod(plan.folder, route);
      return [];
    } catch (error) {
      const remedy = 'correct the proto file or the names in the plan';
      return [{ code: 'GRPC_INVALID', path: route.at, message: reasonOf(error), remedy }];
    }
  });
  return (await Promise.all(found)).flat();
}
