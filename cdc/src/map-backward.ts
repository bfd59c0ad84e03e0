import type { ListRule, Row, Value } from '@strangler/contracts';
import { compileBack, type SourceColumns } from './back-columns.js';
import { canonical } from './canonical.js';
import type { Column } from './column.js';
import { asPrinted, unfitFor } from './fit-column.js';
import { compileFilter } from './filter.js';
import type { Children, Mapped, RowMap } from './map.js';
import { compileColumns, type TargetColumn } from './map-columns.js';
import { childrenOf, ownOf } from './map-forward.js';
import type { MappingFunctions } from './mapping-functions.js';
import type { ReversedMapping } from './reverse.js';
import type { Table } from './table.js';

/** The tables as the reversed mapping calls them: `source` is the service's. */
type Tables = { readonly source?: Table; readonly target?: Table };

const shown = (value: Value): string =>
  value === null ? 'NULL' : typeof value === 'string' ? `"${value.slice(0, 60)}"` : 'other bytes';

/**
 * A mapping on the way back. A row is refused when the mapping would make another row of what comes back: so nothing that the other side has written
 * is lost in silence, and the two streams agree.
 */
export function compileBackward(
  mapping: ReversedMapping,
  functions: MappingFunctions,
  tables: Tables,
): RowMap {
  const { backOf } = mapping;
  const [here, there] = [columnsOf(tables.source), columnsOf(tables.target)];
  const key = Object.entries(mapping.key);
  const columns = compileBack(backOf, functions);
  const given = new Set([...Object.values(backOf.key), ...columns.flatMap(({ gives }) => gives)]);
  // What a column needs that does not come back cannot be made again here.
  const again = compileColumns(backOf, functions).filter(({ reads }) =>
    reads.every((name) => given.has(name)),
  );
  const filter = compileFilter(backOf);
  const isAsked = filter.reads.every((name) => given.has(name));
  const keyOf = (row: Row): Row =>
    Object.fromEntries(key.map(([legacy, service]) => [legacy, row[service] ?? null]));
  const written = columns.flatMap(({ gives }) => gives);
  const own = Object.entries(ownOf(backOf));
  const absent = Object.keys(mapping.absent === undefined ? {} : backOf.columns).map(
    (name) => [name, plain(mapping.absent?.[name] ?? null)] as const,
  );
  return {
    mapping,
    keyOf,
    keyNames: key.map(([legacy]) => legacy),
    own: {},
    // Rows that other mappings have put into the same table are theirs on the way back.
    takes: (row) =>
      own.every(([name, value]) => isEqual(row, name, value)) &&
      (mapping.absent === undefined || absent.some(([name, value]) => !isEqual(row, name, value))),
    reads: [
      ...new Set([
        ...key.map(([, service]) => service),
        ...own.map(([name]) => name),
        ...columns.flatMap(({ reads }) => reads),
        ...again.map(({ target }) => target),
        ...absent.map(([name]) => name),
        ...mapping.split.flatMap((split) => [split.column, ...Object.values(split.key)]),
      ]),
    ],
    writes: [...key.map(([legacy]) => legacy), ...written],
    map(row) {
      const values = valuesOf(columns, row);
      if (!values.ok) return values;
      for (const name of written) {
        const column = there.get(name);
        const value = values.row[name] ?? null;
        const unfit = column && unfitFor(value, column);
        // NULL is left to the column itself, which may have a trigger or a default.
        if (unfit !== undefined && value !== null)
          return { ok: false, column: name, reason: `would come back, but it ${unfit}` };
      }
      const back = asWritten({ ...keyOf(row), ...values.row });
      const other = again.find((column) => !isSame(column, row, back));
      if (other) return wayless(other, row, back);
      if (isAsked && !filter.takes(back))
        return {
          ok: false,
          column: filter.reads[0] ?? '',
          reason: 'would come back as a row that "where" does not take',
        };
      const children: Children[] = [];
      for (const split of mapping.split) {
        const list = row[split.column] ?? null;
        if (list instanceof Uint8Array)
          return { ok: false, column: split.column, reason: 'holds bytes, which cannot be split' };
        const elements = childrenOf(split, row, list);
        const made = listOf(elements, backOf.lists?.[split.column]);
        if (made !== list)
          return {
            ok: false,
            column: split.column,
            reason: `holds ${shown(list)}, which has no way back: on the way there it would become ${shown(made)}`,
          };
        children.push(elements);
      }
      return { ok: true, row: { key: keyOf(row), columns: values.row, children } };
    },
  };

  function isEqual(row: Row, name: string, value: Value): boolean {
    const column = here.get(name);
    return textOf(row[name] ?? null, column) === textOf(value, column);
  }

  /** A row as the source's columns print it once it is there. */
  function asWritten(row: Row): Row {
    const printed: Record<string, Value> = {};
    for (const name in row) printed[name] = asPrinted(row[name] ?? null, there.get(name));
    return printed;
  }

  function isSame({ target, map }: TargetColumn, row: Row, back: Row): boolean {
    const mapped = map(back);
    const column = here.get(target);
    const value = row[target] ?? null;
    return mapped.ok && (mapped.value === value || textOf(mapped.value, column) === textOf(value, column));
  }
}

const plain = (value: string | number | boolean | null): string | null =>
  typeof value === 'boolean' ? (value ? '1' : '0') : value === null ? null : String(value);

/** The list that rows of its elements make. */
function listOf({ split, rows }: Children, rule: ListRule | undefined): string | null {
  const items = rows.map((row) => row[split.item]);
  return items.length > 0 ? items.join(split.separator) : plain(rule?.absent ?? null);
}

const columnsOf = (table: Table | undefined): ReadonlyMap<string, Column> =>
  new Map(table?.columns.map((column) => [column.name, column]));

const textOf = (value: Value, column: Column | undefined): string | null =>
  column
    ? canonical(value, column)
    : value instanceof Uint8Array
      ? `0x${Buffer.from(value).toString('hex')}`
      : value;

function valuesOf(
  columns: readonly SourceColumns[],
  row: Row,
): { readonly ok: true; readonly row: Row } | Extract<Mapped, { ok: false }> {
  const values: Record<string, Value> = {};
  for (const { back } of columns) {
    const given = back(row);
    if (!given.ok) return given;
    Object.assign(values, given.values);
  }
  return { ok: true, row: values };
}

function wayless({ target, map }: TargetColumn, row: Row, back: Row): Mapped {
  const mapped = map(back);
  const made = mapped.ok ? `would become ${shown(mapped.value)}` : 'would be refused';
  return {
    ok: false,
    column: target,
    reason: `holds ${shown(row[target] ?? null)}, which has no way back: on the way there it ${made}`,
  };
}
