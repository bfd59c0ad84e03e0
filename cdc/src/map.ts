import type { Row, SplitRule, TableMapping, Value } from '@strangler/contracts';
import { compileRule } from './map-rules.js';

/** The rows of one child table that a source row asks for; `parent` names them by the columns of the split's key. */
export type Children = { readonly split: SplitRule; readonly parent: Row; readonly rows: readonly Row[] };

/** What a source row becomes: one target row and, for each split, its children. */
export type MappedRow = { readonly key: Row; readonly columns: Row; readonly children: readonly Children[] };
export type Mapped =
  | { readonly ok: true; readonly row: MappedRow }
  /** `reason` ends a sentence that starts with the source column. */
  | { readonly ok: false; readonly column: string; readonly reason: string };

export type RowMap = {
  readonly mapping: TableMapping;
  /** Source columns the mapping reads, each once. */
  readonly reads: readonly string[];
  /** Columns of the target's key, those that are constant here last. */
  readonly keyNames: readonly string[];
  /** What of the key all rows of this mapping have; a row of the target with something else is another mapping's. */
  readonly own: Row;
  /** Target columns it writes, the key's first. */
  readonly writes: readonly string[];
  readonly map: (row: Row) => Mapped;
  /** The target's key of a source row. */
  readonly keyOf: (row: Row) => Row;
};

/** Two rows have the same key exactly when their texts here are equal. */
export const keyText = (key: Row): string =>
  JSON.stringify(
    Object.values(key).map((value) =>
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value,
    ),
  );

/** A key as a person reads it. */
export const keyShown = (key: Row): string =>
  Object.values(key)
    .map((value) => (value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : String(value)))
    .join(',');

/** Compiles a table's mapping once; the result is pure. */
export function compileMapping(mapping: TableMapping): RowMap {
  const key = Object.entries(mapping.key);
  const columns = Object.entries(mapping.columns).map(([target, rule]) => ({ target, ...compileRule(rule) }));
  const own: Row = Object.fromEntries(
    Object.entries(mapping.discriminator ?? {}).map(([target, constant]) => {
      const value = compileRule({ constant }).map(null);
      return [target, value.ok ? value.value : null];
    }),
  );
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
    reads: [
      ...new Set([
        ...key.map(([, source]) => source),
        ...columns.flatMap(({ source }) => source ?? []),
        ...mapping.split.flatMap((split) => [split.column, ...Object.values(split.key)]),
      ]),
    ],
    writes: [...keyNames, ...columns.map(({ target }) => target)],
    map(row) {
      const values: Record<string, Value> = {};
      for (const { target, source, map } of columns) {
        const mapped = map(source === null ? null : (row[source] ?? null));
        if (!mapped.ok) return { ok: false, column: source ?? target, reason: mapped.reason };
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

function childrenOf(split: SplitRule, row: Row, list: string | null): Children {
  const parent: Row = Object.fromEntries(
    Object.entries(split.key).map(([target, source]) => [target, row[source] ?? null]),
  );
  const items = (list ?? '')
    .split(split.separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  // Without a place of its own an element that is there twice is one row.
  const kept = split.position === undefined ? [...new Set(items)] : items;
  const rows = kept.map((item, index): Row => ({
    ...parent,
    ...(split.position === undefined ? {} : { [split.position]: String(index) }),
    [split.item]: item,
  }));
  return { split, parent, rows };
}
