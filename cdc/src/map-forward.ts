import type { Row, SplitRule, TableMapping, Value } from '@strangler/contracts';
import { compileFilter } from './filter.js';
import type { Children, RowMap } from './map.js';
import { compileColumns } from './map-columns.js';
import { compileRule } from './map-rules.js';
import type { MappingFunctions } from './mapping-functions.js';

/** A mapping on the way there: source row to target row. */
export function compileForward(mapping: TableMapping, functions: MappingFunctions): RowMap {
  const key = Object.entries(mapping.key);
  const columns = compileColumns(mapping, functions);
  const { reads, takes } = compileFilter(mapping);
  const own = ownOf(mapping);
  const constants = Object.entries(own);
  const keyOf = (row: Row): Row => {
    const values: Record<string, Value> = {};
    for (const [target, source] of key) values[target] = row[source] ?? null;
    for (const [target, value] of constants) values[target] = value;
    return values;
  };
  const keyNames = [...key.map(([target]) => target), ...constants.map(([target]) => target)];
  return {
    mapping,
    keyOf,
    keyNames,
    own,
    takes,
    reads: [
      ...new Set([
        ...key.map(([, source]) => source),
        ...columns.flatMap((column) => column.reads),
        ...mapping.split.flatMap((split) => [split.column, ...Object.values(split.key)]),
        ...reads,
      ]),
    ],
    writes: [...keyNames, ...columns.map(({ target }) => target)],
    map(row) {
      const values: Record<string, Value> = {};
      for (const {
        target,
        reads: [source = target],
        map,
      } of columns) {
        const mapped = map(row);
        if (!mapped.ok) return { ok: false, column: source, reason: mapped.reason };
        values[target] = mapped.value;
      }
      const children: Children[] = [];
      for (const split of mapping.split) {
        const list = row[split.column] ?? null;
        if (list instanceof Uint8Array)
          return { ok: false, column: split.column, reason: 'holds bytes, which cannot be split' };
        children.push(childrenOf(split, row, list));
      }
      return { ok: true, row: { key: keyOf(row), columns: values, children } };
    },
  };
}

/** What of the target's key all rows of a mapping have. */
export function ownOf({ discriminator = {} }: TableMapping): Row {
  return Object.fromEntries(
    Object.entries(discriminator).map(([target, constant]) => {
      const value = compileRule({ constant }).map(null);
      return [target, value.ok ? value.value : null];
    }),
  );
}

/** Elements of a list as they become rows: blanks are trimmed, empty ones left out. */
export function elementsOf(split: SplitRule, list: string | null): readonly string[] {
  const items = (list ?? '')
    .split(split.separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  // Without a place of its own an element that is there twice is one row.
  return split.position === undefined ? [...new Set(items)] : items;
}

/** The rows of a list. */
export function childrenOf(split: SplitRule, row: Row, list: string | null): Children {
  const parent: Row = Object.fromEntries(
    Object.entries(split.key).map(([target, source]) => [target, row[source] ?? null]),
  );
  const rows = elementsOf(split, list).map((item, index): Row => ({
    ...parent,
    ...(split.position === undefined ? {} : { [split.position]: String(index) }),
    [split.item]: item,
  }));
  return { split, parent, rows };
}
