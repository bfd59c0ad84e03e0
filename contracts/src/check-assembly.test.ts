import { expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';

function problems(table: string): readonly string[] {
  const loaded = parsePlan(
    `version: 1
proxy: { listen: 0, secret: !env SECRET }
sync: { admin: 0 }
control: { listen: 0, ledger: !env A }
flags: { file: flags.json }
databases: { a: !env A, b: !env B }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  catalog:
    owner: team
    upstream: service
    routes: ["GET /x"]
    data:
      from: a
      to: b
      tables:
        - from: customer
          to: client
          key: { id: id }
          columns: { name: name }
${table}
`,
    'plan.yaml',
    { SECRET: '0123456789abcdef', A: 'mysql://u@127.0.0.1/a', B: 'mysql://u@127.0.0.1/b' },
  );
  return loaded.ok
    ? []
    : loaded.problems.map(
        ({ path, message }) => `${path.replace(/^.*tables\[0\]/, '').replace(/ \(line.*$/, '')} ${message}`,
      );
}

it('parts, lookups and lists that fit are no problem', () => {
  expect(
    problems(`
          parts: [{ from: address, key: { id: customer_id }, columns: { city: city }, absent: { city: none } }]
          lost: [code]
          lookups: { country_id: { column: code, in: country, key: code, value: id, missing: refuse } }
          lists: { tags: { from: tag, key: { id: customer_id }, item: tag, order: position } }`),
  ).toEqual([]);
});

it('every column has one giver, and every row is named by the key of the target: all that is wrong is told at once', () => {
  expect(
    problems(`
          writers: both
          parts:
            - { from: customer, key: { id: id }, columns: { note: note } }
            - { from: address, key: { other: customer_id }, columns: { name: city }, absent: { street: none } }
            - { from: phone, key: { id: customer_id }, columns: {} }
          lost: [code]
          lookups: { note: { column: code, in: country, key: code, value: id } }
          lists: { tags: { from: tag, key: { id: a, more: b }, item: tag, order: position } }`),
  ).toEqual([
    '.writers cannot be "both" where rows are put together from several tables',
    '.parts[0].from "customer" gives columns to "client" already',
    '.parts[1].key is not the key of the target',
    '.parts[1].columns.name is given by "customer" already',
    '.parts[1].absent.street is not a column of this part',
    '.parts[2].columns are none',
    '.lookups.note is given by part "customer" already',
    '.lists.tags.key is not the key of the target',
  ]);
});

it('two mappings may write one table where a discriminator tells their rows apart, and not otherwise', () => {
  const second = (more: string) =>
    problems(`
          discriminator: { kind: person }
        - from: company
          to: client
          key: { id: id }
          ${more}`);
  expect(second('discriminator: { kind: company }')).toEqual([]);
  const written = [
    expect.stringContaining('"client" is already written by "customer" of "catalog"') as unknown as string,
  ];
  expect(second('discriminator: { kind: Person }')).toEqual(written);
  expect(second('discriminator: { sort: company }')).toEqual(written);
  expect(second('columns: {}')).toEqual(written);
});

it('a discriminator is in the key alone, and goes with nothing that is put together', () => {
  expect(
    problems(`
          discriminator: { id: 1, name: x }
          lost: [code]
          lookups: { note: { column: code, in: country, key: code, value: id } }`),
  ).toEqual([
    '.discriminator.id is mapped as well',
    '.discriminator.name is mapped as well',
    '.discriminator does not go with "parts", "lookups" and "lists"',
  ]);
});
