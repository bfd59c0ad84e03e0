// Sets of global transaction ids, in the two forms there are: MySQL counts intervals for each source ("uuid:1-5:7", or "uuid:tag:1-5"), MariaDB
// names the last one of each domain ("domain-server-sequence"), because the order within a domain is the same on every server.

type Interval = readonly [first: bigint, last: bigint];
export type GtidSet =
  | { readonly engine: 'mysql'; readonly sources: ReadonlyMap<string, readonly Interval[]> }
  | {
      readonly engine: 'mariadb';
      readonly domains: ReadonlyMap<string, { readonly server: string; readonly sequence: bigint }>;
    };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INTERVAL = /^(\d+)(?:-(\d+))?$/;

/** Undefined when the text is not one of the engine's. */
export function parseGtids(engine: GtidSet['engine'], text: string): GtidSet | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  let set: GtidSet = engine === 'mysql' ? { engine, sources: new Map() } : { engine, domains: new Map() };
  for (const entry of entries) {
    const next = withEntry(set, entry);
    if (!next) return undefined;
    set = next;
  }
  return set;
}

function withEntry(set: GtidSet, entry: string): GtidSet | undefined {
  if (set.engine === 'mariadb') {
    const match = /^(\d+)-(\d+)-(\d+)$/.exec(entry);
    if (!match) return undefined;
    const [, domain = '', server = '', sequence = ''] = match;
    return { ...set, domains: new Map(set.domains).set(domain, { server, sequence: BigInt(sequence) }) };
  }
  const [uuid = '', ...parts] = entry.split(':');
  if (!UUID.test(uuid) || parts.length === 0) return undefined;
  const sources = new Map(set.sources);
  let source = uuid;
  for (const part of parts) {
    const match = INTERVAL.exec(part);
    // A tag holds for the intervals behind it.
    if (!match && /^[a-z_][a-z0-9_]*$/.test(part)) source = `${uuid}:${part}`;
    else if (!match) return undefined;
    else {
      const first = BigInt(match[1] as string);
      sources.set(source, added(sources.get(source) ?? [], [first, BigInt(match[2] ?? first)]));
    }
  }
  return { ...set, sources };
}

/** Throws when the id is not one of the set's engine: ids come from the log itself. */
export function withGtid(set: GtidSet, gtid: string): GtidSet {
  const next = withEntry(set, gtid.toLowerCase());
  if (!next) throw new Error(`"${gtid}" is not a transaction id of ${set.engine}`);
  return next;
}

/** Intervals in order, those that touch joined. */
function added(intervals: readonly Interval[], item: Interval): readonly Interval[] {
  const last = intervals.at(-1);
  // Nearly always it is the next one.
  if (last && item[0] === last[1] + 1n) return [...intervals.slice(0, -1), [last[0], item[1]]];
  const joined: Interval[] = [];
  for (const interval of [...intervals, item].toSorted((a, b) => (a[0] < b[0] ? -1 : 1))) {
    const before = joined.at(-1);
    if (before && interval[0] <= before[1] + 1n)
      joined[joined.length - 1] = [before[0], before[1] > interval[1] ? before[1] : interval[1]];
    else joined.push(interval);
  }
  return joined;
}

/** As the servers take it, always in one order. */
export const gtidText = (set: GtidSet): string =>
  set.engine === 'mariadb'
    ? [...set.domains]
        .toSorted(([a], [b]) => Number(a) - Number(b))
        .map(([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`)
        .join(',')
    : [...set.sources]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([source, intervals]) =>
          [source, ...intervals.map(([first, last]) => (first === last ? first : `${first}-${last}`))].join(
            ':',
          ),
        )
        .join(',');

/** Whether everything of `part` is in `whole`. Of MariaDB only the sequences count: another server goes on with those of the one before it. */
export function includesGtids(whole: GtidSet, part: GtidSet): boolean {
  if (whole.engine === 'mariadb')
    return (
      part.engine === 'mariadb' &&
      [...part.domains].every(
        ([domain, { sequence }]) => (whole.domains.get(domain)?.sequence ?? -1n) >= sequence,
      )
    );
  return (
    part.engine === 'mysql' &&
    [...part.sources].every(([source, intervals]) =>
      intervals.every(([first, last]) =>
        (whole.sources.get(source) ?? []).some((interval) => interval[0] <= first && interval[1] >= last),
      ),
    )
  );
}
