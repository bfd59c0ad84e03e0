import type { TableMapping } from './mapping-schema.js';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string, remedy: string) => void;

const sameNames = (a: object, b: object): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => name in b);

function checkDiscriminator(table: TableMapping, at: Path, complain: Complain): void {
  const { discriminator = {}, key, columns, writers, parts, lookups, lists } = table;
  const place = [...at, 'discriminator'];
  if (Object.keys(discriminator).length === 0)
    complain(place, 'names no column', 'write "column: value", or leave it out');
  for (const name of Object.keys(discriminator))
    if (name in key || name in columns)
      complain([...place, name], 'is mapped as well', 'leave it in "discriminator" only');
  if (writers === 'both')
    complain([...at, 'writers'], 'cannot be "both" with a "discriminator"', 'let one side write it');
  if (parts ?? lookups ?? lists)
    complain(
      place,
      'does not go with "parts", "lookups" and "lists"',
      'let each mapping have a table of its own',
    );
}

/** Whether two mappings may write one table, because no row can be of both. */
export function areApart(a: TableMapping, b: TableMapping): boolean {
  const [one, other] = [a.discriminator ?? {}, b.discriminator ?? {}];
  const names = Object.keys(one);
  return (
    sameNames(a.key, b.key) &&
    sameNames(one, other) &&
    names.some((name) => String(one[name]).toLowerCase() !== String(other[name]).toLowerCase())
  );
}

/** What a table says of rows of other source tables: each column has one giver, and each row is named by the key of the target. */
export function checkAssembly(table: TableMapping, at: Path, complain: Complain): void {
  const { parts = [], lookups = {}, lists = {}, discriminator } = table;
  if (discriminator !== undefined) checkDiscriminator(table, at, complain);
  if (parts.length === 0 && Object.keys({ ...lookups, ...lists }).length === 0) return;
  if (table.writers === 'both')
    complain(
      [...at, 'writers'],
      'cannot be "both" where rows are put together from several tables',
      'let one side write it',
    );
  const givers = new Map(
    [...Object.keys(table.key), ...Object.keys(table.columns)].map((name) => [name, `"${table.from}"`]),
  );
  const give = (column: string, giver: string, path: Path) => {
    const other = givers.get(column);
    if (other !== undefined) complain(path, `is given by ${other} already`, 'let one table give each column');
    givers.set(column, giver);
  };
  const named = (key: object, path: Path) => {
    if (!sameNames(key, table.key))
      complain(
        path,
        'is not the key of the target',
        `give a column for each of ${Object.keys(table.key)
          .map((name) => `"${name}"`)
          .join(', ')}, and for no other`,
      );
  };
  const seen = new Set([table.from]);
  for (const [index, part] of parts.entries()) {
    const place = [...at, 'parts', index];
    if (seen.has(part.from))
      complain(
        [...place, 'from'],
        `"${part.from}" gives columns to "${table.to}" already`,
        'name each table once',
      );
    seen.add(part.from);
    named(part.key, [...place, 'key']);
    if (Object.keys(part.columns).length === 0)
      complain([...place, 'columns'], 'are none', 'map a column, or leave the part out');
    for (const column of Object.keys(part.columns))
      give(column, `part "${part.from}"`, [...place, 'columns', column]);
    for (const column of Object.keys(part.absent))
      if (part.columns[column] === undefined)
        complain(
          [...place, 'absent', column],
          'is not a column of this part',
          'correct the name, or map the column',
        );
  }
  for (const [column, lookup] of Object.entries(lookups))
    give(column, `the lookup in "${lookup.in}"`, [...at, 'lookups', column]);
  for (const [column, list] of Object.entries(lists)) {
    give(column, `the list of "${list.from}"`, [...at, 'lists', column]);
    named(list.key, [...at, 'lists', column, 'key']);
  }
}
