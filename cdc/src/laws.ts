import {
  type ColumnRule,
  readsOf,
  type Row,
  type SplitRule,
  type TableMapping,
  type Value,
} from '@strangler/contracts';
import { canonical } from './canonical.js';
import { folded } from './compare-rows.js';
import { asPrinted, unfitFor } from './fit-column.js';
import { compileMapping, type CompileWith, keyShown, keyText } from './map.js';
import { elementsOf } from './map-forward.js';
import { keepsKeysApart } from './narrowing.js';
import { reverseOf } from './reverse.js';
import { columnOf, type Table } from './table.js';

/** A row that a mapping does not carry there and back: one for each column and law, with the first row that showed it. */
export type LawFailure = {
  /** `refused`: there is no target row. `lost`: it comes back otherwise, or not at all. `key`: two rows have one key in the target. */
  readonly law: 'refused' | 'lost' | 'key';
  readonly column: string;
  readonly key: string;
  /** What is wrong, as the end of a sentence that starts with the column. */
  readonly reason: string;
  readonly remedy: string;
  /** Rows in which it is so. */
  readonly rows: number;
};

const LONGEST_SHOWN = 60;
const shown = (value: Value): string =>
  value === null
    ? 'NULL'
    : typeof value === 'string'
      ? `"${value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}...` : value}"`
      : `0x${Buffer.from(value).toString('hex').slice(0, LONGEST_SHOWN)}`;

const sameIn = (table: Table | undefined, name: string, a: Value, b: Value): boolean => {
  const column = table && columnOf(table, name);
  return column ? canonical(a, column) === canonical(b, column) : keyText({ a }) === keyText({ a: b });
};
const printedIn = (table: Table | undefined, row: Row): Row =>
  table
    ? Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, asPrinted(value, columnOf(table, name))]),
      )
    : row;

/** A mapping without what the target owns, and what comes from other tables: of that no source row says anything. */
function withoutOthers(mapping: TableMapping): TableMapping {
  const owned = mapping.owned?.target ?? [];
  return {
    ...mapping,
    parts: undefined,
    lookups: undefined,
    lists: undefined,
    columns: Object.fromEntries(
      Object.entries(mapping.columns).filter(([target]) => !owned.includes(target)),
    ),
  };
}

/** The list as rows of its elements would make it again; without a place of their own they stand in the order of their letters. */
const listBack = (split: SplitRule, list: string | null): string | null => {
  const elements = elementsOf(split, list);
  const ordered = split.position === undefined ? elements.toSorted() : elements;
  return ordered.length === 0 ? null : ordered.join(split.separator);
};

/**
 * The laws of a mapping on some rows of its source: each has a target row, no two have the same key there, and each comes back as it was but for
 * the columns that are declared lost. The tables say how the servers would print what is written. Pure, but for what functions of the plan do.
 */
export function checkLaws(
  mapping: TableMapping,
  rows: readonly Row[],
  given: CompileWith = {},
): readonly LawFailure[] {
  const carried = withoutOthers(mapping);
  const { source, target, functions } = given;
  const forward = compileMapping(carried, given);
  const backward = compileMapping(reverseOf(carried), {
    ...(functions ? { functions } : {}),
    ...(target ? { source: target } : {}),
    ...(source ? { target: source } : {}),
  });
  const lost = new Set(mapping.lost ?? []);
  const compared = backward.writes.filter((name) => !lost.has(name));
  const failures = new Map<string, LawFailure>();
  const keys = new Map<string, string>();
  const folds = Object.fromEntries(
    Object.entries(mapping.key).map(([to, from]) => [to, isFolded(from, to, source, target)]),
  );

  for (const row of rows) {
    if (!forward.takes(row)) continue;
    const key = keyShown(
      Object.fromEntries(Object.values(mapping.key).map((name) => [name, row[name] ?? null])),
    );
    const fail = (law: LawFailure['law'], column: string, reason: string, remedy: string) => {
      const id = `${law}\0${column}`;
      const first = failures.get(id) ?? { law, column, key, reason, remedy, rows: 0 };
      failures.set(id, { ...first, rows: first.rows + 1 });
    };
    const mapped = forward.map(row);
    if (!mapped.ok) {
      fail('refused', mapped.column, mapped.reason, 'correct the row, or let the mapping take it');
      continue;
    }
    const whole = { ...mapped.row.key, ...mapped.row.columns };
    const unfit = unfitIn(target, whole);
    if (unfit) {
      const [from] = sourcesOf(carried, unfit.name);
      fail(
        'refused',
        from ?? unfit.name,
        `becomes "${unfit.name}", which ${unfit.reason}`,
        'change the rule or the column',
      );
      continue;
    }
    const there = printedIn(target, whole);

    const keyThere = JSON.stringify(
      Object.keys(mapping.key).map((name) => {
        const text = keyShown({ name: there[name] ?? null });
        return folds[name] ? folded(text) : text;
      }),
    );
    const other = keys.get(keyThere);
    if (other !== undefined && other !== key)
      fail(
        'key',
        Object.values(mapping.key)[0] ?? '',
        `has a key in the target that row "${other}" has as well`,
        'map a key that keeps them apart, in columns of the same type and collation',
      );
    keys.set(keyThere, key);

    const back = backward.map(there);
    if (!back.ok) {
      const [from = back.column] = sourcesOf(carried, back.column);
      fail(
        'lost',
        from,
        `does not come back, for "${back.column}" ${back.reason}`,
        'change the rule, or correct the row',
      );
      continue;
    }
    const again = printedIn(source, { ...back.row.key, ...back.row.columns });
    for (const name of compared) {
      const [was, is] = [row[name] ?? null, again[name] ?? null];
      if (!sameIn(source, name, was, is))
        fail('lost', name, `holds ${shown(was)}, which comes back as ${shown(is)}`, remedyFor(carried, name));
    }
    for (const split of mapping.split) {
      const list = row[split.column] ?? null;
      if (lost.has(split.column) || list instanceof Uint8Array) continue;
      const is = listBack(split, list);
      if (is !== list)
        fail(
          'lost',
          split.column,
          `holds ${shown(list)}, which comes back as ${shown(is)}`,
          remedyFor(carried, split.column),
        );
    }
  }
  return [...failures.values()];
}

const remedyFor = (mapping: TableMapping, name: string): string => {
  const isEnum = Object.values(mapping.columns).some(
    (rule: ColumnRule) => typeof rule !== 'string' && 'enum' in rule && rule.enum === name,
  );
  return `name "${name}" under "lost", ${isEnum ? 'map each of its values to one of its own' : 'choose a rule that keeps it'}, or correct the row`;
};

const sourcesOf = ({ columns, key }: TableMapping, target: string): readonly string[] => {
  const rule = columns[target] ?? key[target];
  return rule === undefined ? [] : readsOf(rule);
};

function unfitIn(
  table: Table | undefined,
  row: Row,
): { readonly name: string; readonly reason: string } | undefined {
  for (const [name, value] of Object.entries(row)) {
    const column = table && columnOf(table, name);
    // What a column loses is told by what comes back.
    const reason = column && (value === null || column.kind === 'enum') ? unfitFor(value, column) : undefined;
    if (reason !== undefined) return { name, reason };
  }
  return undefined;
}

function isFolded(from: string, to: string, source: Table | undefined, target: Table | undefined): boolean {
  const [given, taken] = [source && columnOf(source, from), target && columnOf(target, to)];
  return given !== undefined && taken !== undefined && !keepsKeysApart(given, taken);
}
