import type { MigrationData, Row, TableMapping } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { assembled } from './assembly.js';
import { storedOffset } from './choose-server.js';
import { controlSchemaOf, type Database } from './connect.js';
import { loadFunctions } from './load-functions.js';
import { compileMapping, type RowMap } from './map.js';
import { nameOf, shadowNameOf } from './pair-names.js';
import { ITEM, keyedBy, MATCH, PLACE, type ShadowMapping, shadowsOf, VALUE } from './shadow-mappings.js';
import { dropShadows, ensureShadow, type ShadowColumn, shadowTableName } from './shadow-table.js';
import { columnOf, type Table } from './table.js';
import { pairOf, tableNamed, type TablePair } from './table-pair.js';

export type PairsOptions = {
  readonly stream: string;
  readonly data: MigrationData;
  readonly from: Database;
  readonly source: Connection;
  readonly to: Database;
  readonly target: Connection;
  /** Forgets what was copied of shadows that are made anew. */
  readonly forget: (names: readonly string[]) => Promise<void>;
};

/**
 * All mappings of a migration with their tables, each behind the shadows it is put together from, which are made where they are missing. `fresh` names those that have to be copied, whatever is known of them.
 * Throws TABLE_UNREADABLE.
 */
export async function pairsOf(
  options: PairsOptions,
): Promise<{ readonly pairs: readonly TablePair[]; readonly fresh: readonly string[] }> {
  const { data, from, source, to, target } = options;
  const pairs: TablePair[] = [];
  const fresh: string[] = [];
  if (data.tables.some((mapping) => shadowsOf(mapping).length > 0)) {
    // What shadows hold of a copy that was never dropped is worth nothing.
    if ((await storedOffset(to, options.stream)) === undefined)
      await dropShadows(target, controlSchemaOf(to), options.stream);
  }
  for (const mapping of data.tables) {
    const plain = await pairOf(nameOf(data, mapping), mapping, from, source, to, target);
    const made: { readonly shadow: ShadowMapping; readonly pair: TablePair }[] = [];
    for (const shadow of shadowsOf(mapping)) {
      const { pair, isFresh } = await shadowPair(options, shadow, plain);
      made.push({ shadow, pair });
      if (isFresh) fresh.push(pair.name);
    }
    pairs.push(...(made.length === 0 ? [plain] : assembled(plain, made)));
  }
  return { pairs, fresh };
}

async function shadowPair(
  { stream, from, source, to, target, forget }: PairsOptions,
  shadow: ShadowMapping,
  anchor: TablePair,
): Promise<{ readonly pair: TablePair; readonly isFresh: boolean }> {
  const table = await tableNamed(source, from, shadow.mapping.from);
  const name = shadowTableName(stream, table.name, shadow.label);
  const mapping = { ...keyedBy(table.primaryKey, shadow), to: name };
  const key = Object.keys(mapping.key);
  const names = Object.keys(shadow.mapping.key);
  const looked =
    shadow.kind === 'asked'
      ? await Promise.all(
          Object.entries(anchor.map.mapping.lookups ?? {}).map(
            async ([column, lookup]) =>
              [column, columnOf(await tableNamed(source, from, lookup.in), lookup.key)] as const,
          ),
        )
      : [];
  const columnsOf = [...key, ...Object.keys(mapping.columns)].map((column): ShadowColumn => {
    const like = likeOf(column, shadow, mapping, table, anchor.target);
    // A text is compared with what it looks up, so both have the collation of that.
    const by = new Map(looked).get(column);
    const compared =
      by?.collation && like.collation ? { ...like, charset: by.charset, collation: by.collation } : like;
    return {
      name: column,
      like: compared,
      nullable: !key.includes(column) && (like.nullable || names.includes(column) || by !== undefined),
    };
  });
  const isDirect = names.every((column) => key.includes(column));
  const pairName = shadowNameOf(table.name, shadow.label);
  const wanted = {
    schema: controlSchemaOf(to),
    name,
    columns: columnsOf,
    key,
    indexes: isDirect
      ? looked.map(([column]) => ({ names: [column], isUnique: false }))
      : [{ names, isUnique: shadow.kind !== 'list' }],
  };
  const ensured = await ensureShadow(target, wanted, () => forget([pairName]));
  const functions = await loadFunctions(mapping);
  const map = compileMapping(mapping, { functions, source: table, target: ensured.table });
  return {
    isFresh: ensured.isNew,
    pair: {
      name: pairName,
      map: shadow.kind === 'list' ? withElements(map, shadow.list.separator, shadow.list.item) : map,
      source: table,
      target: ensured.table,
      children: [],
      parentOf: () => ({}),
      childColumns: () => [],
    },
  };
}

/** Values are kept in the type they have in the target, so that what the target would refuse is refused by the row that has it. */
function likeOf(
  column: string,
  shadow: ShadowMapping,
  mapping: TableMapping,
  source: Table,
  target: Table,
): ShadowColumn['like'] {
  const rule = mapping.columns[column];
  const own = columnOf(source, mapping.key[column] ?? (typeof rule === 'string' ? rule : ''));
  const given = columnOf(target, column === VALUE && shadow.kind === 'lookup' ? shadow.column : column);
  const isOfSource = column.startsWith('#')
    ? column !== VALUE
    : shadow.kind === 'asked' && !(column in mapping.key);
  const like = isOfSource ? own : given;
  if (!like) throw new Error(`column "${column}" of "${mapping.to}" is declared nowhere`);
  return [MATCH, ITEM, PLACE].includes(column) ? { ...like, nullable: true } : like;
}

/** An element that the list could not give back is no element. */
const withElements = (map: RowMap, separator: string, column: string): RowMap => ({
  ...map,
  map(row: Row) {
    const item = row[column] ?? null;
    const isElement =
      typeof item === 'string' && item !== '' && item.trim() === item && !item.includes(separator);
    if (!isElement)
      return {
        ok: false,
        column,
        reason: `holds ${typeof item === 'string' ? `"${item.slice(0, 60)}"` : item === null ? 'NULL' : 'bytes'}, which a list with "${separator}" between its elements would not give back: correct the row, or choose another separator`,
      };
    return map.map(row);
  },
});
