import type { Row, TableMapping, Value, Where, WhereValue } from '@strangler/contracts';
import { literal, quoted } from './sql.js';
import { columnOf, type Table } from './table.js';

/** Which source rows a mapping takes, and the columns in which all of these have the same. */
export type Filter = {
  readonly reads: readonly string[];
  readonly takes: (row: Row) => boolean;
  readonly given: Row;
};

const EVERYTHING: Filter = { reads: [], takes: () => true, given: {} };

export const whereText = (value: WhereValue): string | null =>
  value === null ? null : typeof value === 'boolean' ? (value ? '1' : '0') : String(value);

/** A BIT travels as bytes and is asked for as a number. */
const textOf = (value: Value): string | null =>
  value instanceof Uint8Array ? String(BigInt(`0x0${Buffer.from(value).toString('hex')}`)) : value;

type Condition = {
  readonly name: string;
  readonly values: ReadonlySet<string | null>;
  readonly isNot: boolean;
};
const conditionOf = ([name, given]: readonly [string, Where[string]]): Condition => {
  const isNot = given !== null && typeof given === 'object' && !Array.isArray(given);
  const values = isNot ? given.not : given;
  return { name, isNot, values: new Set((Array.isArray(values) ? values : [values]).map(whereText)) };
};

/** Compiles the `where` of a mapping. Pure. */
export function compileFilter({ where }: Pick<TableMapping, 'where'>): Filter {
  if (where === undefined) return EVERYTHING;
  const conditions = Object.entries(where).map(conditionOf);
  return {
    reads: conditions.map(({ name }) => name),
    takes: (row) =>
      conditions.every(({ name, values, isNot }) => values.has(textOf(row[name] ?? null)) !== isNot),
    given: Object.fromEntries(
      conditions.flatMap(({ name, values, isNot }) =>
        isNot || values.size !== 1 ? [] : [[name, [...values][0] ?? null]],
      ),
    ),
  };
}

/** The same as conditions of SQL on the table that has the rows; texts are equal letter by letter, as there. */
export function filterSql({ where }: Pick<TableMapping, 'where'>, table: Table): readonly string[] {
  return Object.entries(where ?? {})
    .map(conditionOf)
    .map(({ name, values, isNot }) => {
      const kind = columnOf(table, name)?.kind;
      const column =
        kind === 'text' ? `CONVERT(${quoted(name)} USING utf8mb4) COLLATE utf8mb4_bin` : quoted(name);
      const texts = [...values].filter((value) => value !== null);
      const any = [
        ...(texts.length === 0
          ? []
          : [`${column} IN (${texts.map((value) => literal(value, table, name)).join(', ')})`]),
        ...(values.has(null) ? [`${quoted(name)} IS NULL`] : []),
      ];
      return `${isNot ? 'NOT ' : ''}COALESCE(${any.join(' OR ')}, FALSE)`;
    });
}
