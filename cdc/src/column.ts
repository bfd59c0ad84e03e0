/** A column as the database declares it, and how its values travel. */
export type Column = {
  readonly name: string;
  /** The declaration in lower case as `information_schema` prints it, such as `decimal(10,2) unsigned`. */
  readonly type: string;
  readonly charset: string | null;
  readonly collation?: string | null;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly generated: boolean;
  readonly kind: ColumnKind;
  /** Labels of an ENUM or SET, in order. */
  readonly labels: readonly string[];
};

export const COLUMN_KINDS = [
  'integer',
  'decimal',
  'float',
  'double',
  'text',
  'bytes',
  'date',
  'datetime',
  'timestamp',
  'time',
  'year',
  'enum',
  'set',
  'json',
  'bit',
  'name',
  'unsupported',
] as const;
/** `name`: a type of the server's own with a text form, such as UUID or INET6. */
export type ColumnKind = (typeof COLUMN_KINDS)[number];

const KIND_OF: Readonly<Record<string, ColumnKind>> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  decimal: 'decimal',
  float: 'float',
  double: 'double',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
  date: 'date',
  datetime: 'datetime',
  timestamp: 'timestamp',
  time: 'time',
  year: 'year',
  enum: 'enum',
  set: 'set',
  json: 'json',
  bit: 'bit',
  uuid: 'name',
  inet6: 'name',
  inet4: 'name',
};

/** Character sets whose bytes in the log can be decoded exactly as the server converts them to utf8mb4. */
export const CHARSETS: ReadonlySet<string> = new Set(['utf8', 'utf8mb3', 'utf8mb4', 'ascii', 'latin1']);

/** Kinds whose order in the database is the order of `>` between a column and a literal, so that a table can be read in chunks by them. */
export const PAGED_KINDS: ReadonlySet<ColumnKind> = new Set([
  'integer',
  'decimal',
  'text',
  'bytes',
  'date',
  'datetime',
  'timestamp',
  'year',
  'name',
] as const);

export const baseTypeOf = (type: string): string => /^[a-z0-9_]+/.exec(type)?.[0] ?? type;

export function kindOf(type: string, charset: string | null): ColumnKind {
  const kind = KIND_OF[baseTypeOf(type)] ?? 'unsupported';
  const isText = kind === 'text' || kind === 'enum' || kind === 'set';
  if (isText && charset !== null && !CHARSETS.has(charset)) return 'unsupported';
  // Their digits are padded by the width of the declaration, which the log does not carry.
  if (type.includes('zerofill') && kind !== 'integer') return 'unsupported';
  return kind;
}

/** Labels of `enum('a','it''s')`: quotes are doubled and a label may hold a comma. */
export function labelsOf(type: string): readonly string[] {
  const list = /^(?:enum|set)\((.*)\)/is.exec(type)?.[1] ?? '';
  return [...list.matchAll(/'((?:[^']|'')*)'/g)].map((match) => (match[1] as string).replaceAll("''", "'"));
}

export const isBytes = (column: Column): boolean => column.kind === 'bytes' || column.kind === 'bit';
