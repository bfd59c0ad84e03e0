import { eachHeader, type RawHeaders } from './headers.js';

/** As gateways of CGI and WSGI spell it: to them `X_User` and `X-User` are one header. */
const spelling = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** The headers without those of the names (in lower case, with "-"), however a client spells them. */
export function withoutHeaders(headers: RawHeaders, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (const [name, value] of eachHeader(headers)) if (!names.has(spelling(name))) kept.push(name, value);
  return kept;
}

const nameOf = (cookie: string): string => cookie.split('=', 1)[0]?.trim() ?? '';

/** The cookies of the names, as the client wrote them and in its order; of two with one name both. */
export const cookiesNamed = (cookies: string, names: readonly string[]): readonly string[] =>
  cookies
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie.includes('=') && names.includes(nameOf(cookie)));

/** The headers without cookies of the names. The other cookies stay as they came. */
export function withoutCookies(headers: RawHeaders, names: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [name, value] of eachHeader(headers)) {
    if (name.toLowerCase() !== 'cookie') kept.push(name, value);
    else {
      const others = value.split(';').filter((cookie) => !names.includes(nameOf(cookie)));
      if (others.length > 0) kept.push(name, others.join(';').trim());
    }
  }
  return kept;
}

/**
 * A claim as the value of a header; a list of them with commas. null: it cannot be one without being changed, and what is
 * changed could be somebody else.
 */
export function claimHeader(claim: unknown): string | null {
  if (Array.isArray(claim)) {
    const items = claim.map(claimHeader);
    return items.every((item) => item !== null && item !== '' && !item.includes(','))
      ? items.join(',')
      : null;
  }
  if (typeof claim !== 'string' && typeof claim !== 'number' && typeof claim !== 'boolean') return null;
  const text = String(claim);
  return /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/.test(text) ? text : null;
}
