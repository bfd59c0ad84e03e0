import type { ColumnRule, TableMapping } from '@strangler/contracts';
import { escape } from 'mysql2';
import { alter, alterColumn } from './alter.js';
import type { Column } from './column.js';
import type { Check } from './definition.js';
import type { Doubt } from './row-doubts.js';
import { quoted } from './sql.js';
import { columnOf, type Table } from './table.js';

/** A condition on rows of the source, and the columns that it names. */
type CheckDoubt = Doubt & { readonly reads: readonly string[] };
type Term = { readonly sql: string; readonly reads: readonly string[] };

/** Texts and names of an expression; only names are columns. */
const TOKENS = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`((?:[^`]|``)*)`/g;

/**
 * Rows of the source that a CHECK of the target would refuse: the constraint with each column replaced by what the mapping makes it of. A constraint that names
 * a column whose rule SQL cannot say, or one that the mapping does not write, is left out. Pure.
 */
export function checkDoubts(mapping: TableMapping, source: Table, target: Table): readonly CheckDoubt[] {
  const rules: Readonly<Record<string, ColumnRule>> = { ...mapping.columns, ...mapping.key };
  const owned = new Set(mapping.owned?.target);
  return (target.definition?.checks ?? []).flatMap((check) => {
    const reads = new Set<string>();
    let isKnown = true;
    const condition = check.expression.replaceAll(TOKENS, (token: string, escaped?: string) => {
      if (escaped === undefined) return token;
      const name = escaped.replaceAll('``', '`');
      const rule = owned.has(name) ? undefined : rules[name];
      const term = rule === undefined ? undefined : termOf(rule, name, source, target);
      if (!term) {
        isKnown = false;
        return token;
      }
      for (const read of term.reads) reads.add(read);
      return term.sql;
    });
    if (!isKnown || reads.size === 0 || isHeldBy(source, condition)) return [];
    return {
      code: 'ROW_CHECK_FAILS',
      condition: `NOT (${condition})`,
      reads: [...reads],
      message: `what constraint "${check.name}" of target table "${target.name}" refuses (${check.expression})`,
      statements: dropCheck(target, check),
    };
  });
}

/** Whether the source has the same constraint, so that it has no such row. */
const isHeldBy = (source: Table, condition: string): boolean =>
  (source.definition?.checks ?? []).some(({ expression }) => expression === condition);

function termOf(rule: ColumnRule, name: string, source: Table, target: Table): Term | undefined {
  const term = (column: string, sql: (value: string) => string): Term | undefined =>
    columnOf(source, column) && { sql: sql(quoted(column)), reads: [column] };
  if (typeof rule === 'string') return term(rule, (value) => comparedAs(value, rule, name, source, target));
  if ('constant' in rule) return { sql: escape(rule.constant), reads: [] };
  if ('minor' in rule) return term(rule.minor, (value) => `ROUND(${value} * 1${'0'.repeat(rule.digits)})`);
  if ('flag' in rule) return term(rule.flag, (value) => `COALESCE(${value} + 0, ${rule.whenNull ? 1 : 0})`);
  if ('enum' in rule)
    return term(rule.enum, (value) =>
      asTaken(
        `CASE CONVERT(${value} USING utf8mb4) COLLATE utf8mb4_bin ${Object.entries(rule.values)
          .map(([from, to]) => `WHEN ${escape(from)} THEN ${escape(to)}`)
          .join(' ')} END`,
        columnOf(target, name),
      ),
    );
  return undefined;
}

/** By the collation of the target column: two literals of different collations cannot be compared at all. */
const asTaken = (text: string, taken: Column | undefined): string =>
  taken?.charset == null || taken.collation == null
    ? text
    : `CONVERT(${text} USING ${taken.charset}) COLLATE ${taken.collation}`;

/** A text compares in the target by the target's collation. */
function comparedAs(value: string, from: string, to: string, source: Table, target: Table): string {
  const [given, taken] = [columnOf(source, from), columnOf(target, to)];
  const isText = (kind: string | undefined) => kind === 'text' || kind === 'enum';
  return !isText(given?.kind) || !isText(taken?.kind) || given?.collation === taken?.collation
    ? value
    : `CONVERT(${value} USING ${taken?.charset}) COLLATE ${taken?.collation}`;
}

function dropCheck(target: Table, { name, column, expression }: Check): readonly string[] {
  const owner = column === undefined ? undefined : columnOf(target, column);
  return owner
    ? alterColumn(target, owner, (rest) => `${owner.type}${rest.replace(` CHECK (${expression})`, '')}`)
    : [alter(target, `DROP CONSTRAINT ${quoted(name)}`)];
}
