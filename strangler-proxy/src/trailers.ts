import { eachHeader, type RawHeaders, valuesOf } from './headers.js';

export type Trailers = readonly (readonly [name: string, value: string])[];

// RFC 9110, 6.5.1: framing, routing, request modifiers, authentication, content format and response control. A recipient
// that merged one of these into the head would see another message than the one that was checked.
const FORBIDDEN =
  /^(?:age|authorization|cache-control|connection|content-(?:encoding|length|location|range|type)|cookie|date|expect|expires|forwarded|host|if-.*|keep-alive|location|max-forwards|pragma|proxy-.*|range|retry-after|set-cookie|te|trailer|transfer-encoding|upgrade|vary|warning|www-authenticate|x-forwarded-.*|x-strangler-.*)$/i;

/** The trailers that may go on, in order. Never to be merged into the head. */
export const trailersOf = (raw: RawHeaders): Trailers =>
  raw.length === 0 ? [] : [...eachHeader(raw)].filter(([name]) => !FORBIDDEN.test(name));

/** What a `Trailer` header announces of trailers that may go on; undefined when there is none. */
export function announcedIn(raw: RawHeaders): string | undefined {
  const names = valuesOf(raw, 'trailer')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => /^[!#$%&'*+.^`|~\w-]+$/.test(name) && !FORBIDDEN.test(name));
  return names.length === 0 ? undefined : names.join(', ');
}

/** Whether the client says that it reads trailers (RFC 9110, 10.1.4). */
export const readsTrailers = (te: string | string[] | undefined): boolean =>
  te !== undefined && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(String(te));
