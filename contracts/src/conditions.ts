import { z } from 'zod';

export const CONDITION_KINDS = ['host', 'header', 'query', 'cookie', 'claim'] as const;
export type ConditionKind = (typeof CONDITION_KINDS)[number];

/** One thing a request must have besides method and path; `true`: it is there, whatever it says. */
export type Condition = {
  readonly kind: ConditionKind;
  /** Of the header (lower case), query parameter, cookie or claim; empty for the host. */
  readonly name: string;
  /** Sorted, each once. A host may begin with `*.`, which stands for one label or more. */
  readonly values: readonly string[] | true;
};

/** All of them must hold. Sorted by kind and name, so that the same conditions are the same list. */
export type Conditions = readonly Condition[];

const value = z.string().refine((text) => /^[^\p{Cc}]*$/u.test(text), {
  message: 'has a control character',
  params: { remedy: 'write it without: no request can have one' },
});
// The alternatives that never hold are there for what they say: YAML reads 1 and false as no text.
const values = z
  .union([
    value,
    z.array(value).min(1),
    z
      .boolean()
      .refine((given) => given, {
        message: 'is false',
        params: { remedy: 'write true for "is there", a text in quotes for what it says, or leave it out' },
      })
      .meta({ const: true }),
    z
      .number()
      .refine(() => false, { message: 'is a number', params: { remedy: 'put it into quotes' } })
      .meta({ not: {} }),
  ])
  .transform((given) =>
    typeof given === 'boolean' || typeof given === 'number' ? (true as const) : inOrder([given].flat()),
  );

const host = z
  .string()
  .toLowerCase()
  .refine((text) => /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$|^\[[0-9a-f:.]+\]$/.test(text), {
    message: 'is not a host name',
    params: { remedy: 'write it as "shop.example" or "*.shop.example", without scheme and port' },
  });

// Hop-by-hop ones, those the proxy writes or takes away, and those that have a key of their own.
const NO_HEADER =
  /^(?:connection|content-length|cookie|expect|forwarded|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|x-forwarded-(?:for|host)|x-strangler-.*)$/;
const headers = z.record(
  z
    .string()
    .toLowerCase()
    .refine((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !NO_HEADER.test(name), {
      message: 'is not a header to match on',
      params: {
        remedy:
          'use "host" or "cookie" for those two; headers of one connection and of the proxy never match',
      },
    }),
  values,
);

/** `when` of a route, as it is written; parsed into `Conditions`. */
export const conditionsSchema = z
  .strictObject({
    host: z
      .union([host, z.array(host).min(1)])
      .optional()
      .describe('name or names, without port; "*.shop.example" stands for every name below shop.example'),
    header: headers.optional().describe('name: value, list of values, or true for "is there"'),
    query: z.record(z.string(), values).optional().describe('as header, of the parameters in the query'),
    cookie: z.record(z.string(), values).optional().describe('as header, of the cookies'),
    claim: z
      .record(z.string(), values)
      .optional()
      .describe(
        'as header, of the claims in a bearer token. They are NOT verified: good to choose a side, never to let someone in',
      ),
  })
  .superRefine(({ header }, context) => {
    if (header?.['authorization'] !== undefined && header['authorization'] !== true)
      context.addIssue({
        code: 'custom',
        path: ['header', 'authorization'],
        message: 'is a secret of somebody',
        params: { remedy: 'write "authorization: true", or match on a claim' },
      });
  })
  .transform((when): Conditions => {
    const found: Condition[] = [];
    if (when.host !== undefined) found.push({ kind: 'host', name: '', values: inOrder([when.host].flat()) });
    for (const kind of CONDITION_KINDS)
      if (kind !== 'host')
        for (const [name, given] of Object.entries(when[kind] ?? {}))
          found.push({ kind, name, values: given });
    return found.toSorted((a, b) => compareTexts(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`));
  });

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const inOrder = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted(compareTexts);

/** For people, and as a part of a route's name: `host shop.example, header x-beta=1 or 2, query debug`. */
export const conditionsText = (conditions: Conditions): string =>
  conditions
    .map(({ kind, name, values: given }) => {
      const subject = name === '' ? kind : `${kind} ${plain(name)}`;
      if (given === true) return subject;
      return `${subject}${kind === 'host' ? ' ' : '='}${given.map(plain).join(' or ')}`;
    })
    .join(', ');

const plain = (text: string): string => (/^[\w.*:/@[\]-]+$/.test(text) ? text : JSON.stringify(text));

/** Whether a host name, in lower case, is the one meant or below it. */
export const hostMatches = (name: string, pattern: string): boolean =>
  pattern.startsWith('*.')
    ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1))
    : name === pattern;

/** How closely conditions describe a request: their number, then how many of them say exactly what they want. */
export const closenessOf = (conditions: Conditions): number =>
  conditions.length * 1_000 +
  conditions.filter(
    ({ kind, values: given }) =>
      given !== true && !(kind === 'host' && given.some((text) => text.startsWith('*.'))),
  ).length;

const valueCovers = (kind: ConditionKind, wide: string, narrow: string): boolean =>
  wide === narrow || (kind === 'host' && hostMatches(narrow, wide));

/** Whether every request that fulfils `narrow` fulfils `wide`. */
export const conditionsCover = (wide: Conditions, narrow: Conditions): boolean =>
  wide.every(({ kind, name, values: allowed }) => {
    const own = narrow.find((condition) => condition.kind === kind && condition.name === name);
    if (!own || allowed === true) return own !== undefined;
    return (
      own.values !== true && own.values.every((text) => allowed.some((each) => valueCovers(kind, each, text)))
    );
  });

/** Whether a request can fulfil both. */
export const conditionsMeet = (one: Conditions, other: Conditions): boolean =>
  one.every(({ kind, name, values: mine }) => {
    const theirs = other.find((condition) => condition.kind === kind && condition.name === name)?.values;
    if (theirs === undefined || theirs === true || mine === true) return true;
    return mine.some((a) => theirs.some((b) => valueCovers(kind, a, b) || valueCovers(kind, b, a)));
  });
