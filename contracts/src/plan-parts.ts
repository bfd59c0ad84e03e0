/** A plan, or a part of it, before anything of it is known to be right. */
export type Parts = Readonly<Record<string, unknown>>;

/** The named parts of what may be anything; none of what has no names. */
export const parts = (value: unknown): Parts =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Parts) : {};
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
