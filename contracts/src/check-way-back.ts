import { checkLens } from './check-lens.js';
import { readsOf } from './column-rule-schema.js';
import { lookupBack } from './lookup-back.js';
import type { TableMapping } from './mapping-schema.js';
import { areOneRow } from './one-row.js';
import { givenByWhere, waysBack } from './ways-back.js';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string, remedy: string) => void;

/** Source columns that a mapping gives back by itself, or says not to. */
const saidBy = (table: TableMapping): readonly string[] => [
  ...Object.values(table.key),
  ...waysBack(table).flatMap(({ gives }) => gives),
  ...givenByWhere(table),
  ...table.split.map(({ column }) => column),
  ...(table.lost ?? []),
  ...(table.owned?.source ?? []),
];

/** What a mapping says of its way back, and what only the others of its migration can give back. */
export function checkWayBack(
  table: TableMapping,
  tables: readonly TableMapping[],
  at: Path,
  complain: Complain,
): void {
  const { from, parts = [], lookups = {}, lists = {} } = table;
  const isAssembled = (each: TableMapping) => each.lookups !== undefined || each.lists !== undefined;
  const beside = tables.filter((each) => each !== table && areOneRow(each, table));
  const said = new Set([...saidBy(table), ...beside.flatMap(saidBy)]);
  checkLens(table, at, complain, beside.flatMap(saidBy));

  if (
    isAssembled(table) &&
    beside.some((each) => isAssembled(each) && tables.indexOf(each) < tables.indexOf(table))
  )
    complain(
      [...at, table.lookups === undefined ? 'lists' : 'lookups'],
      `is the second mapping of "${from}" that takes from other tables, so its rows cannot be put together on the way back`,
      'let one of them have all "lookups" and "lists"',
    );
  for (const [column, lookup] of Object.entries(lookups))
    if (!said.has(lookup.column) && lookupBack(column, lookup, tables) === undefined) {
      said.add(lookup.column);
      complain(
        [...at, 'lookups', column, 'column'],
        `is looked up, and nothing gives "${lookup.column}" back`,
        `carry "${lookup.key}" and "${lookup.value}" of "${lookup.in}" in this migration, or name "${lookup.column}" under "lost"`,
      );
    }
  const comesBackBy = (name: string) => tables.find((each) => each.from === name);
  const carriedBySelf = (name: string, columns: readonly string[], lost: readonly string[], place: Path) => {
    const known = new Set([...tables.filter((each) => each.from === name).flatMap(saidBy), ...lost]);
    for (const column of new Set(columns))
      if (!known.has(column))
        complain(
          place,
          `reads "${column}" of "${name}", which comes back by a mapping of its own, and that does not carry it`,
          `map it there, or name it under "lost" here`,
        );
  };
  for (const [index, part] of parts.entries()) {
    const place = [...at, 'parts', index];
    const { key, columns, lost = [] } = part;
    if (part.from === from) continue;
    if (comesBackBy(part.from))
      carriedBySelf(part.from, Object.values(columns).flatMap(readsOf), lost, [...place, 'columns']);
    else
      checkLens(
        { from: part.from, to: table.to, key, columns, split: [], writers: table.writers, lost },
        place,
        complain,
      );
  }
  for (const [column, list] of Object.entries(lists))
    if (comesBackBy(list.from))
      carriedBySelf(list.from, [list.item], list.lost ?? [], [...at, 'lists', column, 'item']);
}
