/** `"a, b,,c "` is a, b, c: the column has seen many hands. */
export const splitTags = (column: string | null): string[] =>
  (column ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

/** For LIKE, so that % and _ in what a person typed mean themselves. */
export const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
