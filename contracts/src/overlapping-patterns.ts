import type { Segment } from './route-pattern.js';

export type Segments = readonly Segment[];

type Node<T> = {
  readonly statics: Map<string, Node<T>>;
  param?: Node<T>;
  readonly here: T[];
  readonly rest: T[];
};
const emptyNode = <T>(): Node<T> => ({ statics: new Map(), here: [], rest: [] });

// A parameter and the first segment of a rest are never empty, so the end of "/items/" is matched by that text alone.
const isEmpty = (segment: Segment): boolean => segment.kind === 'static' && segment.text === '';

/** Answers which of the patterns some path can fit beside the given one, without looking at all of them. */
export function indexPatterns<T extends { readonly segments: Segments }>(
  patterns: readonly T[],
): (segments: Segments) => readonly T[] {
  const root = emptyNode<T>();
  for (const pattern of patterns) {
    let node = root;
    for (const segment of pattern.segments) {
      if (segment.kind === 'rest') break;
      if (segment.kind === 'param') node = node.param ??= emptyNode();
      else {
        const next = node.statics.get(segment.text) ?? emptyNode<T>();
        node.statics.set(segment.text, next);
        node = next;
      }
    }
    (pattern.segments.at(-1)?.kind === 'rest' ? node.rest : node.here).push(pattern);
  }
  return (segments) => {
    const found: T[] = [];
    const children = (node: Node<T>): Node<T>[] => [
      ...[...node.statics].flatMap(([text, child]) => (text === '' ? [] : [child])),
      ...(node.param ? [node.param] : []),
    ];
    const all = (node: Node<T>): void => {
      found.push(...node.here, ...node.rest);
      for (const child of [...node.statics.values(), ...(node.param ? [node.param] : [])]) all(child);
    };
    const walk = (node: Node<T>, depth: number): void => {
      const segment = segments[depth];
      if (!segment) return void found.push(...node.here);
      if (!isEmpty(segment)) found.push(...node.rest);
      if (segment.kind === 'rest') for (const child of children(node)) all(child);
      else if (segment.kind === 'param') for (const child of children(node)) walk(child, depth + 1);
      else {
        const fixed = node.statics.get(segment.text);
        if (fixed) walk(fixed, depth + 1);
        if (node.param && !isEmpty(segment)) walk(node.param, depth + 1);
      }
    };
    walk(root, 0);
    return found;
  };
}

/** Whether every path that fits `narrow` fits `wide`. */
export function patternCovers(wide: Segments, narrow: Segments): boolean {
  for (let depth = 0; ; depth++) {
    const [mine, theirs] = [wide[depth], narrow[depth]];
    if (!mine || !theirs) return mine === theirs;
    if (mine.kind === 'rest') return !isEmpty(theirs);
    if (theirs.kind === 'rest') return false;
    if (mine.kind === 'param' ? isEmpty(theirs) : theirs.kind !== 'static' || theirs.text !== mine.text)
      return false;
  }
}

const rank = (segment: Segment | undefined): number =>
  segment === undefined ? 3 : segment.kind === 'static' ? 0 : segment.kind === 'param' ? 1 : 2;

/** Below zero when `one` is the more specific: segment by segment text goes before a parameter and that before the rest. */
export function compareSpecificity(one: Segments, other: Segments): number {
  for (let depth = 0; depth < Math.max(one.length, other.length); depth++) {
    const difference = rank(one[depth]) - rank(other[depth]);
    if (difference !== 0) return difference;
  }
  return 0;
}
