/**
 * Values of cookies whose signature has been found right, and the id each carries: a client that comes again costs a look-up in
 * place of an HMAC. Only right ones are kept, so forged ones can neither fill it nor get in; the value is the whole key.
 */
export type VerifiedCookies = {
  idOf(value: string): string | undefined;
  keep(value: string, id: string): void;
};

// About 3 MB in each of the two generations.
const MOST = 16_384;

/** At most two generations of entries: when the young one is full it becomes the old one, and the old one is forgotten. */
export function createVerifiedCookies(most = MOST): VerifiedCookies {
  let young = new Map<string, string>();
  let old = new Map<string, string>();
  const keep = (value: string, id: string): void => {
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(value, id);
  };
  return {
    idOf(value) {
      const id = young.get(value);
      if (id !== undefined) return id;
      const before = old.get(value);
      if (before !== undefined) keep(value, before);
      return before;
    },
    keep,
  };
}
