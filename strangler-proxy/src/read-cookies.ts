import { parseCookie } from 'cookie';

export type Cookies = Readonly<Record<string, string | undefined>>;

let lastText = '';
let last: Cookies = parseCookie('');

/** Cookies by name; of one that is there twice the first. Whoever asks about a request asks for the same text: the last one is kept. */
export function readCookies(text: string): Cookies {
  if (text !== lastText) {
    last = parseCookie(text);
    lastText = text;
  }
  return last;
}
