import { Transform } from 'node:stream';

/** An origin as texts write it, and what is put in its place. */
type Replacement = { readonly from: string; readonly to: string };

// What may follow an origin; anything else and it is the beginning of another one: "http://a" in "http://a.test" or "http://a:80".
const MORE_OF_AN_ORIGIN = /^[\w.:@%-]/;

/** JSON may write "/" as "\/", and some languages always do. */
const spellingsOf = (from: string, to: string): Replacement[] => [
  { from, to },
  { from: from.replaceAll('/', '\\/'), to: to.replaceAll('/', '\\/') },
];

/** Replaces origins in one whole text. */
export function replaceIn(text: string, origins: readonly string[], by: string): string {
  const replace = replacer(origins, by);
  return replace(text, true).done;
}

/**
 * Replaces origins in a body on its way, wherever the chunks are cut. It keeps back only what can still become an origin, so
 * that each event of a stream goes on as it comes. Bytes above ASCII pass untouched.
 */
export function replaceOrigins(origins: readonly string[], by: string): Transform {
  const replace = replacer(origins, by);
  let left = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const result = replace(left + chunk.toString('latin1'), false);
      left = result.left;
      done(null, result.done === '' ? undefined : Buffer.from(result.done, 'latin1'));
    },
    flush(done) {
      const result = replace(left, true);
      done(null, result.done === '' ? undefined : Buffer.from(result.done, 'latin1'));
    },
  });
}

function replacer(origins: readonly string[], by: string) {
  const replacements = origins.flatMap((origin) => spellingsOf(origin.toLowerCase(), by));
  const pattern = new RegExp(replacements.map(({ from }) => escaped(from)).join('|'), 'gi');
  const byText = new Map(replacements.map(({ from, to }) => [from, to]));
  const longest = Math.max(...replacements.map(({ from }) => from.length));
  return (text: string, isEnd: boolean): { done: string; left: string } => {
    const end = isEnd ? text.length : text.length - unfinished(text);
    let done = '';
    let from = 0;
    for (const found of text.matchAll(pattern)) {
      const after = found.index + found[0].length;
      if (found.index >= end || (after === text.length && !isEnd)) break;
      if (MORE_OF_AN_ORIGIN.test(text.slice(after, after + 1))) continue;
      done += text.slice(from, found.index) + (byText.get(found[0].toLowerCase()) ?? found[0]);
      from = after;
    }
    return { done: done + text.slice(from, Math.max(from, end)), left: text.slice(Math.max(from, end)) };
  };

  /** How many bytes at the end may be the beginning of an origin, or one whose next byte is not there yet. */
  function unfinished(text: string): number {
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const tail = text.slice(-length).toLowerCase();
      if (replacements.some(({ from }) => from.startsWith(tail))) return length;
    }
    return 0;
  }
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
