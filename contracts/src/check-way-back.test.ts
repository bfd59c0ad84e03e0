import { expect, it } from '@jest/globals';
import { checkWayBack } from './check-way-back.js';
import { tableMappingSchema } from './mapping-schema.js';

const problems = (...given: readonly object[]): readonly string[] => {
  const tables = given.map((each) => tableMappingSchema.parse({ key: { id: 'id' }, ...each }));
  const found: string[] = [];
  tables.forEach((table, index) =>
    checkWayBack(table, tables, [index], (path, message, remedy) =>
      found.push(`${path.join('.')} ${message}: ${remedy}`),
    ),
  );
  return found;
};
const LOOKUP = { country_id: { column: 'code', in: 'country', key: 'iso', value: 'id' } };
const CLIENT = { from: 'customer', to: 'client' };

it('what is looked up comes back by a mapping of that table, or by a rule, or is declared lost', () => {
  const lost = [
    '0.lookups.country_id.column is looked up, and nothing gives "code" back: carry "iso" and "id" of "country" in this migration, or name "code" under "lost"',
  ];
  const land = (columns: object) => ({ from: 'country', to: 'land', key: { land_id: 'id' }, columns });
  expect(problems({ ...CLIENT, lookups: LOOKUP })).toEqual(lost);
  expect(problems({ ...CLIENT, lookups: LOOKUP }, land({ name: 'name' }))).toEqual(lost);
  expect(problems({ ...CLIENT, lookups: LOOKUP }, land({ code: 'iso' }))).toEqual([]);
  expect(problems({ ...CLIENT, lookups: LOOKUP, lost: ['code'] })).toEqual([]);
  expect(problems({ ...CLIENT, lookups: LOOKUP, columns: { code: 'code' } })).toEqual([]);
  expect(
    problems({ ...CLIENT, lookups: LOOKUP }, { from: 'customer', to: 'raw', columns: { c: 'code' } }),
  ).toEqual([]);
});

it('rules of a part have a way back, to its table or to what that table is carried to', () => {
  const part = (more: object) => ({
    ...CLIENT,
    parts: [
      {
        from: 'address',
        key: { id: 'customer_id' },
        columns: { kind: { enum: 'kind', values: { a: 'x', b: 'x' } } },
        ...more,
      },
    ],
  });
  expect(problems(part({}))).toEqual([
    '0.parts.0.columns.kind.values maps "a" and "b" to "x", so there is no way back: say which one it goes back to, such as "back: { x: a }", and name "kind" under "lost"',
  ]);
  expect(problems(part({ lost: ['kind'] }))).toEqual([]);
  const own = (columns: object) => ({ from: 'address', to: 'place', key: { id: 'customer_id' }, columns });
  expect(problems(part({}), own({}))).toEqual([
    '0.parts.0.columns reads "kind" of "address", which comes back by a mapping of its own, and that does not carry it: map it there, or name it under "lost" here',
  ]);
  expect(problems(part({}), own({ kind: 'kind' }))).toEqual([]);
});

it('a column without a way back has one where another mapping of the same rows gives it, and one of them takes from other tables', () => {
  const half = { columns: { first: { part: 'name', index: 1 } } };
  expect(problems({ ...CLIENT, ...half })).toHaveLength(1);
  expect(problems({ ...CLIENT, columns: { n: { function: './a.js#b', reads: ['name'] } } })).toHaveLength(1);
  const other = { from: 'customer', to: 'other', columns: { name: 'name' } };
  expect(problems({ ...CLIENT, columns: { n: { function: './a.js#b', reads: ['name'] } } }, other)).toEqual(
    [],
  );
  expect(
    problems(
      { ...CLIENT, columns: { n: { function: './a.js#b', reads: ['name'] } } },
      { ...other, where: { kind: 'a' } },
    ),
  ).toHaveLength(1);
  const lists = { tags: { from: 'tag', key: { id: 'customer_id' }, item: 'tag', order: 'tag' } };
  expect(problems({ ...CLIENT, lists }, { from: 'customer', to: 'other', lists })).toEqual([
    '1.lists is the second mapping of "customer" that takes from other tables, so its rows cannot be put together on the way back: let one of them have all "lookups" and "lists"',
  ]);
});
