/** What a statement in the log means for the tables that are captured. */
export type StatementEffect =
  | { readonly kind: 'none' }
  /** The table's definition may have changed; its rows are as they were. */
  | { readonly kind: 'alters'; readonly table: string }
  /** Rows came or went without row events, or the table is another one now. */
  | { readonly kind: 'breaks'; readonly table: string };

const NAME = '(?:`(?:[^`]|``)+`|[\\w$\\u0080-\\uffff]+)';
const QUALIFIED = `(?:${NAME}\\s*\\.\\s*)?${NAME}`;
const REPLACES = /^(?:truncate|drop|rename|create|insert|update|delete|replace|load)\b/i;
const MOVES_ROWS =
  /\b(?:rename\s+(?!column|index|key)|(?:truncate|drop|exchange|discard|import)\s+(?:partition|tablespace))/i;

/** Whether a statement that breaks a table does so by emptying it, whole. */
export const isTruncate = (sql: string): boolean =>
  new RegExp(`^truncate\\s+(?:table\\s+)?${QUALIFIED}\\s*(?:nowait|wait\\s+\\d+)?\\s*;?$`, 'i').test(
    withoutComments(sql),
  );

/** Comments say nothing, but what MySQL calls executable comments is part of the statement. */
const withoutComments = (sql: string): string =>
  sql
    .replace(/\/\*M?!\d*\s?([\s\S]*?)\*\//g, ' $1 ')
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/^\s*(?:--|#)[^\n]*\n/gm, ' ')
    .trim();

const unquote = (name: string): string =>
  name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;

/** `schema.table` of every name in the text that could be a table, the default schema where none is written. */
function namesIn(text: string, schema: string): Set<string> {
  const names = new Set<string>();
  const withoutStrings = text.replace(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"/g, "''");
  for (const [qualified] of withoutStrings.matchAll(new RegExp(QUALIFIED, 'g'))) {
    const parts = [...qualified.matchAll(new RegExp(NAME, 'g'))].map(([name]) => unquote(name));
    names.add(parts.length === 2 ? parts.join('.') : `${schema}.${parts[0] ?? ''}`);
  }
  return names;
}

/**
 * Reads a statement as far as is needed, on the safe side: where a captured table is named by something that could move its
 * rows, it counts as doing so. `captured` holds `schema.table`.
 */
export function effectOf(sql: string, schema: string, captured: ReadonlySet<string>): StatementEffect {
  // MariaDB logs the variables that were set for one statement with it.
  const text = withoutComments(sql).replace(/^set\s+statement\b[\s\S]*?\bfor\s+(?=\w)/i, '');
  const dropped = new RegExp(`^drop\\s+(?:database|schema)\\s+(?:if\\s+exists\\s+)?(${NAME})`, 'i').exec(
    text,
  );
  if (dropped) {
    const table = [...captured].find((name) => name.startsWith(`${unquote(dropped[1] as string)}.`));
    return table === undefined ? { kind: 'none' } : { kind: 'breaks', table };
  }
  const alter = new RegExp(
    `^alter\\s+(?:online\\s+|offline\\s+|ignore\\s+)*table\\s+(?:if\\s+exists\\s+)?(${QUALIFIED})`,
    'i',
  ).exec(text);
  if (alter) {
    const renamesOrMoves = MOVES_ROWS.test(text) ? named(text) : undefined;
    return renamesOrMoves === undefined
      ? alters(alter[1] as string)
      : { kind: 'breaks', table: renamesOrMoves };
  }
  // Of the rest only what can take rows away or put others in their place matters; a trigger or a view names tables harmlessly.
  if (
    !REPLACES.test(text) ||
    /^(?:create|drop)\s+(?!(?:or\s+replace\s+)?(?:temporary\s+)?table\b)/i.test(text)
  )
    return { kind: 'none' };
  if (/^(?:create|drop)\s+(?:or\s+replace\s+)?temporary\b/i.test(text)) return { kind: 'none' };
  const subject = /^create\b/i.test(text)
    ? (new RegExp(`\\btable\\s+(?:if\\s+not\\s+exists\\s+)?(${QUALIFIED})`, 'i').exec(text)?.[1] ?? '')
    : // It reads the other tables it names: pt-table-checksum logs such statements.
      (new RegExp(
        `^(?:insert|replace)\\s+(?:(?:low_priority|delayed|high_priority|ignore)\\s+)*(?:into\\s+)?(${QUALIFIED})`,
        'i',
      ).exec(text)?.[1] ?? text);
  const broken = named(subject);
  return broken === undefined ? { kind: 'none' } : { kind: 'breaks', table: broken };

  function named(part: string): string | undefined {
    const names = namesIn(part, schema);
    return [...captured].find((name) => names.has(name));
  }
  function alters(name: string): StatementEffect {
    const table = named(name);
    return table === undefined ? { kind: 'none' } : { kind: 'alters', table };
  }
}
