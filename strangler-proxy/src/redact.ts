import { contains, type Pointer } from './pointer.js';

const SECRET_NAME =
  /pass(?:word|wd|phrase)|secret|token|authorization|cookie|e-?mail|session|csrf|api-?_?key|credential|iban|card-?_?number|cvc|cvv|phone/i;
const LONGEST = 80;

export const REDACTED = '[redacted]';

export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** A value as a sample may show it: never a secret, never the inside of an object or an array, at most 80 characters. */
export function redact(path: Pointer, value: unknown, pointers: readonly Pointer[]): string {
  if (value === undefined) return 'nothing';
  if (path.some(isSecretName) || pointers.some((pointer) => contains(pointer, path))) return REDACTED;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `object with ${Object.keys(value).length} keys`;
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** A request target as a sample may show it: the user of a URL and the values of query parameters with secret names are left out. */
export function redactTarget(given: string): string {
  const target = given.startsWith('/')
    ? given
    : given.replace(/^((?:[a-z]+:\/\/)?)[^/?#]*@/i, `$1${REDACTED}@`);
  const query = target.indexOf('?');
  if (query === -1) return target;
  // Of a query without escapes that has no secret name in it anywhere, no part has one.
  if (!target.includes('%', query) && !SECRET_NAME.test(target.slice(query + 1))) return target;
  const parameters = target.slice(query + 1).split('&');
  const shown = parameters.map((parameter) => {
    const name = parameter.split('=')[0] as string;
    return isSecretName(decoded(name)) ? `${name}=${REDACTED}` : parameter;
  });
  return `${target.slice(0, query)}?${shown.join('&')}`;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // What cannot be read is treated as a secret.
    return 'secret';
  }
}
