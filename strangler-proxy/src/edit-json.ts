import type { JsonEdits } from '@strangler/contracts';
import { parsePointer, type Pointer } from './pointer.js';

type Container = Record<string, unknown> | unknown[];
/** A number as the sender wrote it (ECMAScript's JSON.parse source text access): 1.10 stays 1.10, and 20 digits stay 20 digits. */
const exact = JSON as typeof JSON & {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
};

/** The edited text. What the plan does not name keeps its value, numbers to the last digit. Throws a SyntaxError. */
export function editJson(text: string, edits: JsonEdits): string {
  const document = JSON.parse(text, ((_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? exact.rawJSON(context.source)
      : value) as (key: string, value: unknown) => unknown) as unknown;
  for (const [from, to] of Object.entries(edits.move)) move(document, parsePointer(from), parsePointer(to));
  for (const [place, name] of Object.entries(edits.rename))
    for (const [parent, key] of placesOf(document, parsePointer(place))) {
      if (Array.isArray(parent) || name === key) continue;
      parent[name] = parent[key];
      delete parent[key];
    }
  for (const place of edits.drop) {
    // From the end, so that the places in an array that are still to come keep their index.
    for (const [parent, key] of [...placesOf(document, parsePointer(place))].toReversed())
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
  }
  for (const [place, value] of Object.entries(edits.constant)) {
    const path = parsePointer(place);
    const key = path.at(-1) as string;
    for (const parent of containersAt(document, path.slice(0, -1)))
      if (!Array.isArray(parent) || has(parent, key)) (parent as Record<string, unknown>)[key] = value;
  }
  return JSON.stringify(document);
}

/** Values that are there at a pointer, each as its container and its key in it. */
function* placesOf(document: unknown, pointer: Pointer): Generator<[Container, string]> {
  const last = pointer.at(-1) as string;
  for (const parent of containersAt(document, pointer.slice(0, -1)))
    if (last === '*') for (const key of Object.keys(parent)) yield [parent, key];
    else if (has(parent, last)) yield [parent, last];
}

function* containersAt(value: unknown, pointer: Pointer): Generator<Container> {
  if (!isContainer(value)) return;
  const [token, ...rest] = pointer;
  if (token === undefined) return yield value;
  for (const key of token === '*' ? Object.keys(value) : [token])
    if (has(value, key)) yield* containersAt((value as Record<string, unknown>)[key], rest);
}

function move(document: unknown, from: Pointer, to: Pointer): void {
  const [source] = placesOf(document, from);
  if (!source) return;
  const [parent, key] = source;
  const moved = (parent as Record<string, unknown>)[key];
  const put = placeFor(document, to);
  if (!put) return;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  put(moved);
}

/** Makes the objects on the way that are not there. Undefined when something else stands in the way. */
function placeFor(document: unknown, to: Pointer): ((value: unknown) => void) | undefined {
  let at = document;
  for (const token of to.slice(0, -1)) {
    if (!isContainer(at)) return undefined;
    if (!has(at, token)) {
      if (Array.isArray(at)) return undefined;
      at[token] = {};
    }
    at = (at as Record<string, unknown>)[token];
  }
  const key = to.at(-1) as string;
  if (!isContainer(at) || Array.isArray(at)) return undefined;
  const target = at;
  return (value) => void (target[key] = value);
}

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && !exact.isRawJSON(value);

const has = (container: Container, key: string): boolean =>
  Array.isArray(container)
    ? /^(?:0|[1-9]\d*)$/.test(key) && Number(key) < container.length
    : Object.hasOwn(container, key);
