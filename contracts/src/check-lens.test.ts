import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';

const planOf = (columns: string, table = '') =>
  parsePlan(
    `version: 1
proxy: { listen: 8080, secret: !env SECRET }
control: { ledger: !env CATALOG }
flags: { file: flags.json }
databases: { shop: !env SHOP, catalog: !env CATALOG }
upstreams: { legacy: http://127.0.0.1:3000, catalog: http://127.0.0.1:3001 }
migrations:
  catalog:
    owner: team
    upstream: catalog
    routes: ['GET /items']
    data:
      from: shop
      to: catalog
      tables:
        - from: product
          to: item
          key: { id: id }
          columns: ${columns}
          ${table}
`,
    '/plans/plan.yaml',
    {
      SHOP: 'mysql://root:pw@a:3306/shop',
      CATALOG: 'mysql://root:pw@b:3306/catalog',
      SECRET: 'a-secret-that-is-long-enough-for-it',
    },
  );
const problems = (...args: Parameters<typeof planOf>) => {
  const loaded = planOf(...args);
  return loaded.ok
    ? []
    : loaded.problems.map(
        ({ path, message, remedy }) =>
          `${path.replace('migrations.catalog.data.tables[0].', '')} ${message}: ${remedy}`,
      );
};

describe('the way back of a mapping', () => {
  it.each([
    ['{ x: a, y: { minor: b, digits: 2 }, z: { constant: 1 } }', ''],
    [
      '{ x: { enum: a, values: { a: 1, b: 1, c: 2 }, back: { 1: a } } }'.replaceAll(/(\d)/g, '"$1"'),
      'lost: [a]',
    ],
    ['{ x: { type: a, as: date, format: DD.MM.YYYY }, y: { join: [b, c] } }', ''],
    ['{ x: { part: a, index: 0 }, y: { part: a, index: 1 } }', ''],
    ['{ x: { part: a, index: 1 } }', 'lost: [a]'],
    ['{ x: { function: ./price.js#toGross, reads: [a, b], back: ./price.js#toNet } }', ''],
    ['{ x: { function: ./price.js#toGross, reads: [a, b], back: ./price.js#toNet, gives: [a] }, y: b }', ''],
    ['{ x: { function: ./price.ts#toGross, reads: [a] } }', 'lost: [a]'],
    ['{ x: a }', 'where: { kind: customer, gone: null }'],
    ['{ x: a, kind: kind }', 'where: { kind: [a, b] }'],
    ['{ x: a }', 'where: { kind: { not: b } }\n          lost: [kind]'],
    ['{ x: a }', 'owned: { source: [b], target: [x] }'],
  ])('is there: %s %s', (columns, table) => {
    expect(problems(columns, table)).toEqual([]);
  });

  it.each([
    [
      '{ x: { enum: a, values: { draft: off, hidden: off } } }',
      '',
      'columns.x.values maps "draft" and "hidden" to "off", so there is no way back: say which one it goes back to, such as "back: { off: draft }", and name "a" under "lost"',
    ],
    [
      '{ x: { enum: a, values: { draft: off, gone: gone }, back: { off: gone } } }',
      '',
      'columns.x.back.off goes back to "gone", which "values" does not map to "off": name a source value that does, or correct "values"',
    ],
    [
      '{ x: { part: a, index: 1 } }',
      '',
      'columns.x is a part of "a" of which not every part is mapped once, so there is no way back: map the parts from 0 on, each once',
    ],
    [
      '{ x: { function: ./price.js#toGross, reads: [a, b] }, y: a }',
      '',
      'columns.x reads "b", and no rule gives it back: add "back", or name it under "lost"',
    ],
    [
      '{ x: { function: ./price.js#toGross, reads: [a, b], back: ./price.js#b, gives: [c] } }',
      '',
      'columns.x reads "a" and "b", and no rule gives them back: add "back", or name them under "lost"',
    ],
    [
      '{ x: a }',
      'where: { kind: [a, b] }',
      'where.kind is asked of "kind", and no rule gives it back: map the column, ask for one value, or name it under "lost"',
    ],
    [
      '{ x: a }',
      'lost: [id]',
      'lost[0] is in the key: leave it out here: a key that is lost is a row that is lost',
    ],
    [
      '{ x: a }',
      'owned: { target: [id] }',
      'owned.target[0] is in the key: leave it out here: both sides have the key',
    ],
    [
      '{ x: a }',
      'writers: both\n          where: { a: b }',
      'where is not for a table with two writers: let one side write it, or take all of its rows',
    ],
    [
      '{ x: a }',
      'writers: both\n          owned: { target: [x] }',
      'owned is not for a table with two writers: name the side of each column under "conflicts.columns"',
    ],
    [
      '{ x: { type: a, as: date, format: DD.MM } }',
      '',
      /columns\.x has a format that cannot be read: write "Y\/N" for a boolean/,
    ],
    ['{ x: { type: a, as: boolean, format: Y } }', '', /columns\.x has a format that cannot be read/],
    ['{ x: { type: a, as: number } }', '', /columns\.x\.as/],
    [
      '{ x: { function: price, reads: [a] } }',
      'lost: [a]',
      /columns\.x\.function is no function: write "FILE#EXPORT"/,
    ],
    ['{ x: { join: [a] } }', '', /columns\.x\.join/],
    ['{ x: a }', 'where: {}', /where names no column/],
  ])('is missing, or badly said: %s %s', (columns, table, problem) => {
    const found = problems(columns, table);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });

  it('has all its problems told at once', () => {
    expect(
      problems('{ x: { part: a, index: 1 }, y: { function: ./f.js#f, reads: [b] } }', 'where: { c: [1, 2] }'),
    ).toHaveLength(3);
  });

  it('names files of functions from the folder of the plan', () => {
    const loaded = planOf('{ x: { function: ./price.js#toGross, reads: [a], back: ../p.ts#toNet } }');
    expect(loaded.ok && loaded.plan.migrations['catalog']?.data?.tables[0]?.columns['x']).toMatchObject({
      function: '/plans/price.js#toGross',
      back: '/p.ts#toNet',
    });
  });
});
