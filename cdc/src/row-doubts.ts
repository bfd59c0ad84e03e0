import type { ColumnRule } from '@strangler/contracts';
import { escape } from 'mysql2';
import { alterColumn, collated } from './alter.js';
import { largestOf, smallestOf } from './check-head-room.js';
import { baseTypeOf, type Column } from './column.js';
import { quoted } from './sql.js';
import type { Table } from './table.js';

/** What rows of the source may hold and the target would refuse: a condition on them, as the end of a sentence, and the statement that lets the target take them. */
export type Doubt = {
  readonly code: string;
  readonly condition: string;
  readonly message: string;
  readonly statements: readonly string[];
};

const numbersOf = (type: string): readonly number[] =>
  (/\(([\d,]+)\)/.exec(type)?.[1] ?? '').split(',').filter(Boolean).map(Number);
/** Bytes of the types that declare no length. */
const BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  tinyblob: 255,
  text: 65_535,
  blob: 65_535,
  mediumtext: 16_777_215,
  mediumblob: 16_777_215,
};
/** Character sets by how many of the letters of utf8mb4 they have. */
const LETTERS = ['ascii', 'latin1', 'utf8mb3', 'utf8mb4'];
const lettersOf = ({ charset }: Column): number =>
  LETTERS.indexOf(charset === 'utf8' ? 'utf8mb3' : (charset ?? ''));

/** What may stand in the way of the values of one column. Pure. */
export function doubtsOf(rule: ColumnRule, given: Column, taken: Column, target: Table): readonly Doubt[] {
  const doubts: Doubt[] = [];
  const value = quoted(given.name);
  const place = `column "${taken.name}" of target table "${target.name}"`;
  const widened = alterColumn(target, taken, (rest) => `${given.type}${rest}`);
  const doubt = (code: string, condition: string, message: string, statements: readonly string[] = []) =>
    doubts.push({ code, condition, message, statements });

  const keepsNull = typeof rule === 'string' || 'utc' in rule || 'minor' in rule || 'enum' in rule;
  if (keepsNull && given.nullable && !taken.nullable)
    doubt(
      'ROW_NULL',
      `${value} IS NULL`,
      `NULL, and ${place} must have a value`,
      alterColumn(target, taken, (rest) => `${taken.type}${rest.replace(' NOT NULL', ' NULL')}`),
    );
  const isDate = given.kind === 'date' || given.kind === 'datetime';
  if (
    isDate &&
    (typeof rule === 'string' || 'utc' in rule) &&
    ['date', 'datetime', 'timestamp'].includes(taken.kind)
  ) {
    const none = `DAYOFMONTH(${value}) > DAYOFMONTH(LAST_DAY(${value}))`;
    const zero = `MONTH(${value}) = 0 OR DAYOFMONTH(${value}) = 0`;
    doubt(
      'ROW_DATE_INVALID',
      typeof rule === 'string' ? none : `${none} OR ${zero}`,
      typeof rule === 'string'
        ? 'a date that is none, such as 2021-02-31'
        : 'a date with a zero in it, which is no moment, or one that is none',
    );
  }
  if (typeof rule !== 'string') {
    if ('enum' in rule && given.kind !== 'bytes') {
      const known = Object.keys(rule.values).map((each) => escape(each));
      doubt(
        'ROW_LABEL_UNKNOWN',
        `CONVERT(${value} USING utf8mb4) COLLATE utf8mb4_bin NOT IN (${known.join(', ')})`,
        'a value that "values" does not map',
      );
    }
    return doubts;
  }

  if (given.kind === taken.kind && (given.kind === 'text' || given.kind === 'bytes')) {
    const room = numbersOf(taken.type)[0];
    const had = numbersOf(given.type)[0] ?? Infinity;
    const bytes = BYTES[baseTypeOf(taken.type)];
    if (room !== undefined && had > room)
      doubt(
        'ROW_TOO_LONG',
        `${given.kind === 'text' ? 'CHAR_LENGTH' : 'LENGTH'}(${value}) > ${room}`,
        `more than the ${room} ${given.kind === 'text' ? 'letters' : 'bytes'} that ${place} holds`,
        widened,
      );
    const most = BYTES[baseTypeOf(given.type)] ?? (numbersOf(given.type).length > 0 ? had * 4 : Infinity);
    if (bytes !== undefined && most > bytes)
      doubt(
        'ROW_TOO_LONG',
        `LENGTH(${taken.charset === null ? value : `CONVERT(${value} USING ${taken.charset})`}) > ${bytes}`,
        `more than the ${bytes} bytes that ${place} holds`,
        widened,
      );
    if (given.kind === 'text' && lettersOf(taken) >= 0 && lettersOf(taken) < lettersOf(given))
      doubt(
        'ROW_NOT_IN_CHARSET',
        `HEX(CONVERT(${value} USING utf8mb4)) <> HEX(CONVERT(CONVERT(${value} USING ${taken.charset}) USING utf8mb4))`,
        `letters that ${place} (${taken.charset}) does not have`,
        alterColumn(target, taken, (rest) => `${taken.type} ${collated(rest, given)}`),
      );
  }

  const isWhole = given.kind === 'integer' || given.kind === 'decimal';
  const limits = isWhole ? limitsOf(taken) : undefined;
  if (limits && !isWithin(given, limits))
    doubt(
      'ROW_OUT_OF_RANGE',
      `${value} < ${limits[0]} OR ${value} > ${limits[1]}`,
      `a number outside of ${limits[0]} to ${limits[1]}, which ${place} holds`,
      widened,
    );
  if (given.kind === 'datetime' && taken.kind === 'timestamp')
    doubt(
      'ROW_OUT_OF_RANGE',
      `YEAR(${value}) > 0 AND (${value} < '1970-01-01 00:00:01' OR ${value} > '2038-01-19 03:14:07')`,
      `a time that ${place}, a TIMESTAMP, does not reach`,
      widened,
    );

  if (given.kind === 'enum' && taken.kind === 'enum') {
    const lacking = given.labels
      .filter((label) => !taken.labels.includes(label))
      .map((label) => escape(label));
    const all = [...taken.labels.map((label) => escape(label)), ...lacking];
    doubt(
      'ROW_LABEL_UNKNOWN',
      [`${value} + 0 = 0`, ...(lacking.length > 0 ? [`${value} IN (${lacking.join(', ')})`] : [])].join(
        ' OR ',
      ),
      `a label that ${place} does not have, or none`,
      lacking.length > 0 ? alterColumn(target, taken, (rest) => `enum(${all.join(',')})${rest}`) : [],
    );
  }
  return doubts;
}

/** The smallest and largest that a column of exact numbers holds. */
function limitsOf(column: Column): readonly [bigint, bigint] | readonly [string, string] | undefined {
  if (column.kind === 'integer') {
    const [low, high] = [smallestOf(column), largestOf(column)];
    return low === undefined || high === undefined ? undefined : [low, high];
  }
  if (column.kind !== 'decimal') return undefined;
  const [all = 10, fraction = 0] = numbersOf(column.type);
  const high = `${'9'.repeat(all - fraction) || '0'}${fraction > 0 ? `.${'9'.repeat(fraction)}` : ''}`;
  return [column.type.includes('unsigned') ? '0' : `-${high}`, high];
}

function isWithin(
  given: Column,
  [low, high]: readonly [bigint, bigint] | readonly [string, string],
): boolean {
  const own = limitsOf(given);
  const whole = (limit: bigint | string) => BigInt(String(limit).split('.')[0] ?? '0');
  return own !== undefined && whole(own[0]) >= whole(low) && whole(own[1]) <= whole(high);
}
