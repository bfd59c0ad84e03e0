import type { Problem, TableMapping } from '@strangler/contracts';
import { checkConflictColumns } from './check-both-writers.js';
import { checkLensColumns } from './check-lens-columns.js';
import { kindOf, PAGED_KINDS } from './column.js';
import { compileMapping } from './map.js';
import { keepsKeysApart, lossOf } from './narrowing.js';
import { addKey, alter, alterColumn, collated } from './alter.js';
import { quoted } from './sql.js';
import { columnOf, type Table } from './table.js';

/** `undefined`: there is no such table. `unknown`: its database does not answer, which is told elsewhere. */
type Found = Table | undefined | 'unknown';

/** What a mapping names, as it stands. */
export type MappedTables = {
  readonly source: Found;
  readonly target: Found;
  readonly children: readonly Found[];
};

/** Engines whose rows are rolled back with a transaction. */
const TRANSACTIONAL = new Set(['innodb', 'rocksdb', 'tokudb', 'ndbcluster']);

const known = (table: Found): Table | undefined => (table === 'unknown' ? undefined : table);
export const isTransactional = ({ engine }: Table): boolean => !engine || TRANSACTIONAL.has(engine);
const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));
const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** Everything in a mapping that its tables cannot give or take. Pure. */
export function checkTables(
  mapping: TableMapping,
  { source, target, children }: MappedTables,
  path: string,
  /** Whether columns that the mapping does not know are left out without a word. */
  isFlowing = false,
  /** Columns of the source of which something is said elsewhere in the plan. */
  carried: ReadonlySet<string> = new Set(),
): readonly Problem[] {
  const found: Problem[] = [];
  const complain = (
    code: string,
    place: string,
    message: string,
    remedy: string,
    statements: readonly string[] = [],
  ) =>
    found.push({
      code,
      path: `${path}${place}`,
      message,
      remedy,
      ...(statements.length > 0 ? { statements } : {}),
    });
  const { reads, writes, keyNames } = compileMapping(mapping);
  const isThere = (table: Found, name: string, place: string): table is Table => {
    if (!table)
      complain(
        'TABLE_MISSING',
        place,
        `table "${name}" is not there, or the account may not read it`,
        'create it, correct the name, or grant SELECT on it',
      );
    if (!table || table === 'unknown') return false;
    if (table.storedName !== undefined && table.storedName !== table.name)
      complain(
        'TABLE_NAME_CASE',
        place,
        `table "${table.name}" is called "${table.storedName}" by its server, and so by its log`,
        `write "${table.storedName}"`,
      );
    if (!table.isView) return true;
    complain(
      'TABLE_IS_VIEW',
      place,
      `"${table.name}" is a view, whose rows are neither logged nor written by themselves`,
      'map the tables it is made of',
    );
    return false;
  };

  if (isThere(source, mapping.from, '.from')) {
    checkKey(source, Object.values(mapping.key), '.from');
    for (const name of reads) {
      const column = columnOf(source, name);
      if (!column)
        complain(
          'COLUMN_MISSING',
          '.columns',
          `column "${name}" is not in source table "${source.name}"`,
          'correct the name or leave it out',
        );
      else if (column.kind === 'unsupported')
        complain(
          'COLUMN_TYPE_UNKNOWN',
          '.columns',
          `column "${name}" of source table "${source.name}" is a "${column.type}"${column.charset === null ? '' : ` in ${column.charset}`}, which cannot be decoded from the log`,
          'leave it out of the mapping, or change its type',
        );
    }
  }
  if (isThere(target, mapping.to, '.to')) {
    checkKey(target, keyNames, '.to');
    checkWritten(target, writes, '.columns');
    found.push(...checkConflictColumns(mapping, target, path));
  }
  if (source && target && source !== 'unknown' && target !== 'unknown' && !source.isView && !target.isView)
    checkCopies(source, target);
  found.push(
    ...checkLensColumns(mapping, { source: known(source), target: known(target), isFlowing, carried }, path),
  );
  for (const [index, split] of mapping.split.entries()) {
    const child = children[index];
    const place = `.split[${index}]`;
    if (isThere(child, split.to, `${place}.to`))
      checkWritten(
        child,
        [...Object.keys(split.key), split.item, ...(split.position === undefined ? [] : [split.position])],
        place,
      );
  }
  return found;

  function checkKey(table: Table, key: readonly string[], place: string): void {
    if (table.primaryKey.length === 0) {
      complain(
        'PRIMARY_KEY_MISSING',
        place,
        `table "${table.name}" has no primary key, so its rows cannot be told apart`,
        'add one',
        key.every((name) => columnOf(table, name)) ? [alter(table, addKey(key))] : [],
      );
      return;
    }
    if (!isSameSet(table.primaryKey, key))
      complain(
        'KEY_NOT_PRIMARY',
        '.key',
        `the primary key of table "${table.name}" is ${list(table.primaryKey)}, not ${list(key)}`,
        'map every column of the primary key under "key", and no other',
      );
    for (const name of table.primaryKey) {
      const column = columnOf(table, name);
      if (column && !PAGED_KINDS.has(column.kind))
        complain(
          'KEY_TYPE',
          place,
          `key column "${name}" of table "${table.name}" is a "${column.type}", by which rows cannot be read in chunks`,
          'use a key of numbers, text, bytes or dates',
        );
    }
  }

  /** What is copied as it is arrives as it is. */
  function checkCopies(from: Table, to: Table): void {
    if (from.isVersioned)
      complain(
        'TABLE_VERSIONED',
        '.from',
        `table "${from.name}" is system-versioned, and its log has more columns than can be told`,
        'drop its system versioning',
        [alter(from, 'DROP SYSTEM VERSIONING')],
      );
    const copies = Object.entries(mapping.columns).flatMap(([name, rule]) =>
      typeof rule === 'string' ? [[name, rule] as const] : 'utc' in rule ? [[name, rule.utc] as const] : [],
    );
    const lost = mapping.lost ?? [];
    for (const [targetName, sourceName] of [...Object.entries(mapping.key), ...copies]) {
      if (mapping.owned?.target.includes(targetName) || lost.includes(sourceName)) continue;
      const [given, taken] = [columnOf(from, sourceName), columnOf(to, targetName)];
      if (!given || !taken) continue;
      const loss = lossOf(given, taken);
      if (loss !== undefined)
        complain(
          'COLUMN_NARROWER',
          `.columns.${targetName}`,
          `column "${targetName}" of target table "${to.name}" is a "${taken.type}" and silently loses of a "${given.type}" ${loss}`,
          'widen it',
          alterColumn(to, taken, (rest) => `${given.type}${rest}`),
        );
      if (targetName in mapping.key && !keepsKeysApart(given, taken))
        complain(
          'KEY_COLLATION',
          `.key.${targetName}`,
          `key column "${targetName}" of target table "${to.name}" compares by ${taken.collation}, which may take two keys of the source (${given.collation}) for one`,
          `give it the collation of the source, or a "_bin" one that does not pad`,
          alterColumn(to, taken, (rest) => `${taken.type} ${collated(rest, given)}`),
        );
    }
  }

  /** A column that is copied as it is could be as it is in the source. */
  function addColumn(table: Table, name: string): readonly string[] {
    const rule = mapping.columns[name] ?? mapping.key[name];
    if (typeof rule !== 'string' || !source || source === 'unknown') return [];
    const text = source.definition?.columns.get(rule);
    return text === undefined || /GENERATED|AUTO_INCREMENT/.test(text)
      ? []
      : [alter(table, `ADD COLUMN ${quoted(name)} ${text}`)];
  }

  function checkWritten(table: Table, names: readonly string[], place: string): void {
    if (!isTransactional(table))
      complain(
        'TABLE_NOT_TRANSACTIONAL',
        place,
        `target table "${table.name}" is of engine "${table.engine}", in which rows and their offset cannot be written together`,
        `run "ALTER TABLE ${table.name} ENGINE = InnoDB"`,
        [alter(table, 'ENGINE = InnoDB')],
      );
    for (const name of names) {
      const column = columnOf(table, name);
      if (!column)
        complain(
          'COLUMN_MISSING',
          place,
          `column "${name}" is not in target table "${table.name}"`,
          'correct the name or add the column',
          addColumn(table, name),
        );
      else if (column.generated)
        complain(
          'COLUMN_GENERATED',
          place,
          `column "${name}" of target table "${table.name}" is generated and cannot be written`,
          'leave it out of the mapping',
        );
      else if (kindOf(column.type, null) === 'unsupported')
        complain(
          'COLUMN_TYPE_UNKNOWN',
          place,
          `column "${name}" of target table "${table.name}" is a "${column.type}", which cannot be written`,
          'leave it out of the mapping',
        );
    }
    for (const column of table.columns)
      if (!column.nullable && !column.hasDefault && !column.generated && !names.includes(column.name))
        complain(
          'COLUMN_UNFILLED',
          place,
          `column "${column.name}" of target table "${table.name}" must have a value and the mapping gives none`,
          'map it, or give it a default',
          alterColumn(table, column, (rest) => `${column.type}${rest.replace(' NOT NULL', ' NULL')}`),
        );
  }
}
