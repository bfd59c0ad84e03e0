/** A JSON pointer (RFC 6901) with `*` for any one name or index, in its tokens. */
export type Pointer = readonly string[];

export const parsePointer = (text: string): Pointer =>
  text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

export const pointerText = (path: Pointer): string =>
  path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const covers = (pointer: Pointer, path: Pointer): boolean =>
  pointer.length === path.length && pointer.every((token, index) => token === '*' || token === path[index]);

/** Whether a place is the one a pointer names, or lies inside it. */
export const contains = (pointer: Pointer, path: Pointer): boolean =>
  pointer.length <= path.length && covers(pointer, path.slice(0, pointer.length));
