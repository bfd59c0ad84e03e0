import { type ColumnRule, type Row, tableMappingSchema, type Value } from '@strangler/contracts';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { type Column, kindOf, labelsOf } from '../column.js';
import type { Table } from '../table.js';

/** A column as the server would declare it. */
export const columnOfType = (name: string, type: string, collation: string | null = null): Column => {
  const kind = kindOf(type, null);
  return {
    name,
    type,
    charset: null,
    collation,
    nullable: true,
    hasDefault: true,
    generated: false,
    kind,
    labels: kind === 'enum' ? labelsOf(type) : [],
  };
};
export const tableOf = (
  name: string,
  columns: Readonly<Record<string, string>>,
  primaryKey = ['id'],
): Table => ({
  database: 'd',
  name,
  columns: Object.entries(columns).map(([column, type]) => columnOfType(column, type)),
  primaryKey,
  engine: 'innodb',
});

/** A rule with the columns it is fit for, values that it keeps, and values that come back otherwise. */
export type RuleCase = {
  readonly name: string;
  readonly source: Readonly<Record<string, string>>;
  readonly target: Readonly<Record<string, string>>;
  readonly rules: Readonly<Record<string, ColumnRule>>;
  readonly kept: Arbitrary<Readonly<Record<string, Value>>>;
  readonly lossy?: Arbitrary<Readonly<Record<string, Value>>>;
  /** Anything the target's own writers may have there. */
  readonly there: Arbitrary<Readonly<Record<string, Value>>>;
};

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.nat(9).map(String), minLength: least, maxLength: most });
const integer = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map(String);
const decimal = (places: number) =>
  fc
    .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), digits(places, places))
    .map(([whole, fraction]) => {
      const text = places === 0 ? String(whole) : `${whole}.${fraction}`;
      return /[1-9]/.test(text) ? text : text.replace('-', '');
    });
const two = (number: number) => String(number).padStart(2, '0');
const day = fc
  .date({ min: new Date('1950-01-01T00:00:00Z'), max: new Date('2037-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const clock = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)).map((parts) => parts.map(two).join(':'));
const moment = fc.tuple(day, clock).map((parts) => parts.join(' '));
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const word = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', 'X', 'ä', 'ß', '0', '-'),
  minLength: 1,
  maxLength: 8,
});
const nullable = (value: Arbitrary<Value>): Arbitrary<Value> => fc.option(value, { nil: null, freq: 8 });
const one = (name: string, value: Arbitrary<Value>) => nullable(value).map((each) => ({ [name]: each }));
const certain = (name: string, value: Arbitrary<Value>) => value.map((each) => ({ [name]: each }));

export const RULES: readonly RuleCase[] = [
  {
    name: 'copy',
    source: { a: 'varchar(200)' },
    target: { x: 'varchar(200)' },
    rules: { x: 'a' },
    kept: one('a', text),
    there: one('x', text),
  },
  {
    name: 'copy of a longer moment into a shorter one',
    source: { a: 'datetime(6)' },
    target: { x: 'datetime' },
    rules: { x: 'a' },
    kept: one(
      'a',
      moment.map((at) => `${at}.000000`),
    ),
    lossy: certain(
      'a',
      moment.map((at) => `${at}.250000`),
    ),
    there: one('x', moment),
  },
  {
    name: 'minor',
    source: { a: 'decimal(20,2)' },
    target: { x: 'bigint' },
    rules: { x: { minor: 'a', digits: 2 } },
    kept: one('a', decimal(2)),
    there: one('x', integer),
  },
  {
    name: 'utc',
    source: { a: 'datetime' },
    target: { x: 'datetime' },
    rules: { x: { utc: 'a', zone: 'Europe/Berlin' } },
    // No clock is set back or forward between noon and midnight.
    kept: one(
      'a',
      fc.tuple(day, fc.nat(59)).map(([date, minute]) => `${date} 14:${two(minute)}:00`),
    ),
    there: one('x', moment),
  },
  {
    name: 'enum',
    source: { a: "enum('draft','sold_out','gone')" },
    target: { x: 'varchar(20)' },
    rules: { x: { enum: 'a', values: { draft: 'draft', sold_out: 'sold-out', gone: 'gone' } } },
    kept: one('a', fc.constantFrom('draft', 'sold_out', 'gone')),
    there: one('x', fc.constantFrom('draft', 'sold-out', 'gone', 'new')),
  },
  {
    name: 'enum with two values for one',
    source: { a: "enum('draft','hidden','gone')" },
    target: { x: 'varchar(20)' },
    rules: {
      x: { enum: 'a', values: { draft: 'off', hidden: 'off', gone: 'gone' }, back: { off: 'draft' } },
    },
    kept: one('a', fc.constantFrom('draft', 'gone')),
    lossy: certain('a', fc.constant('hidden')),
    there: one('x', fc.constantFrom('off', 'gone', 'new')),
  },
  {
    name: 'flag',
    source: { a: 'tinyint(1)' },
    target: { x: 'tinyint(1)' },
    rules: { x: { flag: 'a', whenNull: true } },
    kept: certain('a', fc.constantFrom('0', '1')),
    lossy: certain('a', fc.constant(null)),
    there: one('x', fc.constantFrom('0', '1', '2')),
  },
  {
    name: 'constant',
    source: {},
    target: { x: 'char(3)' },
    rules: { x: { constant: 'EUR' } },
    kept: fc.constant({}),
    there: one('x', fc.constantFrom('EUR', 'USD')),
  },
  {
    name: 'type integer',
    source: { a: 'varchar(200)' },
    target: { x: 'bigint' },
    rules: { x: { type: 'a', as: 'integer' } },
    kept: one('a', integer),
    lossy: certain(
      'a',
      integer.map((value) => value.replace(/^(-?)/, '$100')),
    ),
    there: one('x', integer),
  },
  {
    name: 'type decimal',
    source: { a: 'varchar(200)' },
    target: { x: 'decimal(20,2)' },
    rules: { x: { type: 'a', as: 'decimal' } },
    kept: one('a', decimal(2)),
    lossy: certain('a', decimal(3)),
    there: one('x', decimal(2)),
  },
  {
    name: 'type text',
    source: { a: 'int' },
    target: { x: 'varchar(20)' },
    rules: { x: { type: 'a', as: 'text' } },
    kept: one('a', fc.integer().map(String)),
    there: one('x', fc.oneof(text, fc.integer().map(String))),
  },
  {
    name: 'type boolean',
    source: { a: 'char(1)' },
    target: { x: 'tinyint(1)' },
    rules: { x: { type: 'a', as: 'boolean', format: 'Y/N' } },
    kept: one('a', fc.constantFrom('Y', 'N')),
    there: one('x', fc.constantFrom('0', '1', '7')),
  },
  {
    name: 'type date',
    source: { a: 'varchar(10)' },
    target: { x: 'date' },
    rules: { x: { type: 'a', as: 'date', format: 'DD.MM.YYYY' } },
    kept: one(
      'a',
      day.map((date) => date.split('-').toReversed().join('.')),
    ),
    there: one('x', day),
  },
  {
    name: 'type datetime',
    source: { a: 'varchar(20)' },
    target: { x: 'datetime' },
    rules: { x: { type: 'a', as: 'datetime', format: 'MM/DD/YYYY HH:mm:ss' } },
    kept: one(
      'a',
      moment.map((at) => `${at.slice(5, 7)}/${at.slice(8, 10)}/${at.slice(0, 4)} ${at.slice(11)}`),
    ),
    there: one('x', moment),
  },
  {
    name: 'type datetime of seconds',
    source: { a: 'bigint' },
    target: { x: 'datetime' },
    rules: { x: { type: 'a', as: 'datetime', format: 'unix' } },
    kept: one('a', fc.integer({ min: -(2 ** 30), max: 2 ** 31 }).map(String)),
    there: one('x', moment),
  },
  {
    name: 'type datetime of milliseconds in a column of seconds',
    source: { a: 'bigint' },
    target: { x: 'datetime' },
    rules: { x: { type: 'a', as: 'datetime', format: 'unix-ms' } },
    kept: one(
      'a',
      fc.nat(2 ** 30).map((seconds) => `${seconds}000`),
    ),
    lossy: certain(
      'a',
      fc.nat(2 ** 30).map((seconds) => `${seconds}007`),
    ),
    there: one('x', moment),
  },
  {
    name: 'type json',
    source: { a: 'text' },
    target: { x: 'longtext' },
    rules: { x: { type: 'a', as: 'json' } },
    kept: one('a', fc.json()),
    there: one('x', fc.json()),
  },
  {
    name: 'join',
    source: { a: 'varchar(20)', b: 'varchar(200)' },
    target: { x: 'varchar(200)' },
    rules: { x: { join: ['a', 'b'], separator: ' ' } },
    kept: fc.tuple(word, nullable(fc.string({ unit: 'grapheme', maxLength: 9 }))).map(([a, b]) => ({ a, b })),
    lossy: fc.tuple(word, word, word).map(([a, b, c]) => ({ a: `${a} ${b}`, b: c })),
    there: one('x', text),
  },
  {
    name: 'part',
    source: { a: 'varchar(200)' },
    target: { x: 'varchar(200)', y: 'varchar(200)', z: 'varchar(200)' },
    rules: {
      x: { part: 'a', separator: ';', index: 0 },
      y: { part: 'a', separator: ';', index: 1 },
      z: { part: 'a', separator: ';', index: 2 },
    },
    kept: one('a', fc.string({ unit: fc.constantFrom('a', 'b', ';'), maxLength: 9 })),
    there: fc.tuple(nullable(word), nullable(word), nullable(text)).map(([x, y, z]) => ({ x, y, z })),
  },
];

/** Some of the rules side by side in one table, their columns by names of their own. */
export function tablesOf(cases: readonly RuleCase[]) {
  const named = (index: number, names: object) =>
    Object.fromEntries(Object.entries(names).map(([name, value]) => [`${name}${index}`, value as string]));
  const source: Record<string, string> = { id: 'int' };
  const target: Record<string, string> = { key: 'int' };
  const columns: Record<string, unknown> = {};
  for (const [index, each] of cases.entries()) {
    Object.assign(source, named(index, each.source));
    Object.assign(target, named(index, each.target));
    for (const [name, rule] of Object.entries(each.rules))
      columns[`${name}${index}`] = JSON.parse(
        JSON.stringify(rule)
          .replaceAll(/"(a|b)"/g, `"$1${index}"`)
          .replaceAll(/("separator":)"a\d+"/g, '$1"a"'),
      );
  }
  return {
    source: tableOf('legacy', source),
    target: tableOf('service', target, ['key']),
    mapping: tableMappingSchema.parse({ from: 'legacy', to: 'service', key: { key: 'id' }, columns }),
  };
}

/** Rows of such a table, each with a key of its own. */
export const rowsOf = (cases: readonly RuleCase[], kind: 'kept' | 'there' | 'lossy', key: string) =>
  fc
    .uniqueArray(fc.tuple(fc.integer().map(String), ...cases.map((each) => each[kind] ?? each.kept)), {
      minLength: 1,
      maxLength: 8,
      selector: ([id]) => id,
    })
    .map((rows) =>
      rows.map(([id, ...values]): Row => ({
        [key]: id,
        ...Object.fromEntries(
          values.flatMap((part, index) =>
            Object.entries(part).map(([name, value]) => [`${name}${index}`, value]),
          ),
        ),
      })),
    );
