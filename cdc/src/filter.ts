import type { Row, TableMapping, Value, Where, WhereValue } from '@strangler/contracts';

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
