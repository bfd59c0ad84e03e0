import type { Accepted } from './accept.js';
import { type Client, hangsOnCookies, identify, type Identity } from './identify.js';
import { type PlainFields, readPlainFields } from './plain-request.js';
import { type SortedHeaders, sortHeaders } from './sort-headers.js';

/** Fields that were read before, with all that was found out from nothing but them. */
export type KnownFields = PlainFields & {
  readonly sorted: SortedHeaders;
  /** Who showed them, by these settings. */
  client: { readonly by: Identity; readonly is: Client } | undefined;
};

/** Reads the lines of fields of a plain head; the result is the same whether or not they are known. */
export type ReadFields = (lines: string) => PlainFields | KnownFields | undefined;

// About 5 MB. Of a client's requests nearly always only the first line differs.
const MOST_KNOWN = 1_000;
const LONGEST_KNOWN = 2_048;
const PLACES = 4_096;
const STEP = 7;

/** Remembers what has come twice of late: of clients that come once nothing is kept, or the collector would be busy with them. */
export function createKnownFields(): ReadFields {
  const known = new Map<string, KnownFields>();
  const seen = new Int32Array(PLACES);
  const isSeen = (lines: string): boolean => {
    const hash = hashOf(lines);
    const place = hash & (PLACES - 1);
    if (seen[place] === hash) return true;
    seen[place] = hash;
    return false;
  };
  return (lines) => {
    const there = known.get(lines);
    if (there !== undefined) return there;
    const fields = readPlainFields(lines);
    if (fields === undefined || lines.length > LONGEST_KNOWN || !isSeen(lines)) return fields;
    if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value as string);
    const sorted = sortHeaders('1.1', fields.rawHeaders);
    const kept: KnownFields = { ...fields, sorted, client: undefined };
    known.set(lines, kept);
    return kept;
  };
}

/** As `identify`; who is told by cookies alone is known with them. Of a new client nothing is kept, so that it is new each time. */
export function clientOf(
  known: KnownFields | undefined,
  accepted: Accepted,
  identity: Identity,
  newId: () => string,
): Client {
  if (known?.client?.by === identity) return known.client.is;
  const client = identify(accepted, identity, newId);
  if (known && client.setCookie === undefined && hangsOnCookies(identity))
    known.client = { by: identity, is: client };
  return client;
}

/** FNV-1a over every seventh character. Lines that meet are kept a little too early; whether they are known is told by the whole text. */
function hashOf(lines: string): number {
  let hash = 0x811c9dc5 ^ lines.length;
  for (let index = lines.length - 1; index >= 0; index -= STEP)
    hash = Math.imul(hash ^ lines.charCodeAt(index), 0x01000193);
  return hash;
}
