import { paramOf, type QueryEdits, type Segment, type TransformRules } from '@strangler/contracts';

/** What of a path the parameters of its route stand for, percent-encoded anew; under "*" the rest. */
export type Params = Readonly<Record<string, string>>;

/** The path of the target fits the segments: it has been matched by them. */
export function paramsOf(segments: readonly Segment[], target: string): Params {
  const [path = ''] = target.split('?', 1);
  const given = path.slice(1).split('/').map(encodedAnew);
  const params: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, segment] of segments.entries())
    if (segment.kind === 'param') params[segment.name] = given[index] ?? '';
    else if (segment.kind === 'rest') params['*'] = given.slice(index).join('/');
  return params;
}

/** One spelling for one value, with everything encoded that could end a segment, a query pair or a header. */
const encodedAnew = (segment: string): string => encodeURIComponent(decodeURIComponent(segment));

/** What a value of the plan stands for: itself, or a parameter. */
export const valueIn =
  (params: Params) =>
  (value: string): string => {
    const name = paramOf(value);
    return name === undefined ? value : (params[name] ?? '');
  };

/** The target a service is asked for. What the plan does not name stays byte for byte. */
export function editTarget(
  target: string,
  { path, query }: Pick<TransformRules, 'path' | 'query'>,
  params: Params,
): string {
  const mark = target.indexOf('?');
  const ownPath = mark < 0 ? target : target.slice(0, mark);
  const newPath =
    path === undefined
      ? ownPath
      : path
          .map((part) =>
            typeof part === 'string' ? part : (params['param' in part ? part.param : '*'] ?? ''),
          )
          .join('');
  const own = mark < 0 ? '' : target.slice(mark + 1);
  const pairs = editQuery(own, query, valueIn(params));
  return pairs === '' && (own !== '' || mark < 0) ? newPath : `${newPath}?${pairs}`;
}

function editQuery(
  query: string,
  { remove, rename, add }: QueryEdits,
  valueOf: (value: string) => string,
): string {
  const pairs: string[] = query === '' ? [] : query.split('&');
  const kept = pairs.flatMap((pair) => {
    const [raw = ''] = pair.split('=', 1);
    const name = decodedName(raw);
    if (remove.includes(name)) return [];
    if (!Object.hasOwn(rename, name)) return [pair];
    return [`${encodeURIComponent(rename[name] as string)}${pair.slice(raw.length)}`];
  });
  // A parameter is encoded already.
  for (const [name, value] of Object.entries(add))
    kept.push(
      `${encodeURIComponent(name)}=${paramOf(value) === undefined ? encodeURIComponent(value) : valueOf(value)}`,
    );
  return kept.join('&');
}

/** As application/x-www-form-urlencoded has it; what is encoded wrongly is a name of its own. */
function decodedName(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return raw;
  }
}
