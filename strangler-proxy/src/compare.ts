import type { CompareRules, Difference } from '@strangler/contracts';
import { parseJson } from './parse-json.js';
import { covers, parsePointer, type Pointer, pointerText } from './pointer.js';
import { redact } from './redact.js';

/** An answer with its body decoded. */
export type Answer = {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

const MOST_DIFFERENCES = 20;

/**
 * How the candidate's answer differs from the control's: status, the headers the rules name, and the body: JSON by its structure,
 * anything else byte by byte. None means a match; at most 20 are told, their values redacted and cut short.
 */
export function compare(control: Answer, candidate: Answer, rules: CompareRules): readonly Difference[] {
  const differences: Difference[] = [];
  const redacted = rules.redact.map(parsePointer);
  const differ = (path: string, kind: Difference['kind'], place: Pointer, values: [unknown, unknown]) => {
    if (differences.length < MOST_DIFFERENCES)
      differences.push({
        path,
        kind,
        control: redact(place, values[0], redacted),
        candidate: redact(place, values[1], redacted),
      });
  };

  if (control.status !== candidate.status) differ('status', 'value', [], [control.status, candidate.status]);
  for (const name of rules.headers) {
    const [left, right] = [headerOf(control, name), headerOf(candidate, name)];
    if (left !== right) differ(`header ${name}`, kindOf(left, right), [name], [left, right]);
  }

  const [left, right] = [control, candidate].map(jsonOf);
  if (left === undefined || right === undefined) {
    if (!control.body.equals(candidate.body))
      differences.push({ path: 'body', kind: 'value', ...bytesOf(control.body, candidate.body) });
    return differences;
  }
  const bodyDiffers: Report = (path, kind, values) => differ(pointerText(path) || '/', kind, path, values);
  compareValues(
    left.value,
    right.value,
    [],
    parseRules(rules),
    bodyDiffers,
    () => differences.length >= MOST_DIFFERENCES,
  );
  return differences;
}

type Report = (path: Pointer, kind: Difference['kind'], values: [unknown, unknown]) => void;
type BodyRules = { readonly ignore: readonly Pointer[]; readonly unordered: readonly Pointer[] };

const parseRules = (rules: CompareRules): BodyRules => ({
  ignore: rules.ignore.map(parsePointer),
  unordered: rules.unordered.map(parsePointer),
});

function compareValues(
  left: unknown,
  right: unknown,
  path: Pointer,
  rules: BodyRules,
  report: Report,
  isFull: () => boolean,
): void {
  if (left === right || isFull() || isIgnored(path, rules)) return;
  const [kind, other] = [typeOf(left), typeOf(right)];
  if (left === undefined || right === undefined || kind !== other)
    return report(path, kindOf(left, right), [left, right]);
  if (kind === 'array') {
    let [items, others] = [left as unknown[], right as unknown[]];
    if (items.length !== others.length) report(path, 'length', [items, others]);
    if (rules.unordered.some((pointer) => covers(pointer, path)))
      [items, others] = withoutPairs(items, others, path, rules);
    const common = Math.min(items.length, others.length);
    for (let index = 0; index < common && !isFull(); index++)
      compareValues(items[index], others[index], [...path, String(index)], rules, report, isFull);
    return;
  }
  if (kind === 'object') {
    const [fields, others] = [left as Fields, right as Fields];
    for (const name of new Set([...Object.keys(fields), ...Object.keys(others)])) {
      if (isFull()) return;
      const [mine, theirs] = [own(fields, name), own(others, name)];
      compareValues(mine, theirs, [...path, name], rules, report, isFull);
    }
    return;
  }
  report(path, 'value', [left, right]);
}

type Fields = Readonly<Record<string, unknown>>;
// A key such as "constructor" must not find what every object inherits.
const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

const isIgnored = (path: Pointer, rules: BodyRules): boolean =>
  rules.ignore.some((pointer) => covers(pointer, path));

/** What is left of two arrays when every element that has an equal one on the other side is taken out. */
function withoutPairs(
  items: readonly unknown[],
  others: readonly unknown[],
  path: Pointer,
  rules: BodyRules,
): [unknown[], unknown[]] {
  const keyed = others.map((item, index) => canonical(item, [...path, String(index)], rules));
  const places = new Map<string, number[]>();
  for (const [index, key] of keyed.entries()) places.set(key, [...(places.get(key) ?? []), index]);
  const taken = new Set<number>();
  const left = items.filter((item, index) => {
    const place = places.get(canonical(item, [...path, String(index)], rules))?.pop();
    if (place === undefined) return true;
    taken.add(place);
    return false;
  });
  return [left, others.filter((_item, index) => !taken.has(index))];
}

/** Equal texts for values that the rules hold equal. */
function canonical(value: unknown, path: Pointer, rules: BodyRules): string {
  if (isIgnored(path, rules)) return '';
  if (Array.isArray(value)) {
    const items = value.map((item, index) => canonical(item, [...path, String(index)], rules));
    return `[${(rules.unordered.some((pointer) => covers(pointer, path)) ? items.toSorted() : items).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null)
    return `{${Object.keys(value)
      .filter((name) => !isIgnored([...path, name], rules))
      .toSorted()
      .map((name) => `${JSON.stringify(name)}:${canonical((value as Fields)[name], [...path, name], rules)}`)
      .join(',')}}`;
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

const typeOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : typeof value === 'bigint'
        ? 'number'
        : typeof value;

const kindOf = (left: unknown, right: unknown): Difference['kind'] =>
  right === undefined
    ? 'missing'
    : left === undefined
      ? 'extra'
      : typeOf(left) === typeOf(right)
        ? 'value'
        : 'type';

function headerOf({ headers }: Answer, name: string): string | undefined {
  const value = headers[name];
  // RFC 9110, 8.3.1: the case of a media type and the blanks around its parameters mean nothing.
  return name === 'content-type'
    ? value
        ?.toLowerCase()
        .replaceAll(/\s*;\s*/g, '; ')
        .trim()
    : value;
}

const isJson = (headers: Answer['headers']): boolean =>
  /^\s*application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '');

function jsonOf({ headers, body }: Answer): { readonly value: unknown } | undefined {
  if (!isJson(headers)) return undefined;
  try {
    return { value: parseJson(body.toString('utf8')) };
  } catch {
    return undefined;
  }
}

/** Where bytes begin to differ, and nothing of what they say. */
function bytesOf(control: Buffer, candidate: Buffer): Pick<Difference, 'control' | 'candidate'> {
  let same = 0;
  while (same < control.length && control[same] === candidate[same]) same++;
  const shown = ({ length }: Buffer) => `${length} bytes, the first ${same} the same`;
  return { control: shown(control), candidate: shown(candidate) };
}
