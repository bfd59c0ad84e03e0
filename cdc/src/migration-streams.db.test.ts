import { afterEach, describe, expect, it } from '@jest/globals';
import { type MigrationData, tableMappingSchema, type Verification } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { seeded, until } from './testing/databases.js';
import { openTwoSides, rowsOf as rows, type Running, type TwoSides } from './testing/two-sides.js';

let sides: TwoSides;
afterEach(() => sides.drop());

const DATA: MigrationData = {
  from: 'legacy',
  to: 'service',
  chunkRows: 20,
  tables: [
    tableMappingSchema.parse({
      from: 'product',
      to: 'item',
      key: { id: 'id' },
      columns: {
        title: 'name',
        price_minor: { minor: 'price', digits: 2 },
        kind: { enum: 'kind', values: { t: 'tool', b: 'book' } },
      },
      split: [{ to: 'item_tag', column: 'tags', key: { item_id: 'id' }, item: 'tag', position: 'position' }],
      parts: [
        {
          from: 'product_text',
          key: { id: 'product_id' },
          columns: { text: 'text' },
          absent: { text: null },
        },
      ],
      lists: {
        places: {
          from: 'product_place',
          key: { id: 'product_id' },
          item: 'place',
          order: 'no',
          separator: '|',
        },
      },
    }),
    tableMappingSchema.parse({
      from: 'stock',
      to: 'item_stock',
      key: { place: 'place', item_id: 'product_id' },
      columns: { quantity: 'quantity' },
    }),
  ],
};
const LEGACY = `
  CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2), kind CHAR(1), tags VARCHAR(90));
  CREATE TABLE product_text (product_id INT PRIMARY KEY, text VARCHAR(60));
  CREATE TABLE product_place (product_id INT, no INT, place VARCHAR(20) NOT NULL, PRIMARY KEY (product_id, no));
  CREATE TABLE stock (product_id INT, place VARCHAR(20), quantity INT, PRIMARY KEY (product_id, place))`;
const SERVICE = `
  CREATE TABLE item (id INT PRIMARY KEY, title VARCHAR(40), price_minor BIGINT, kind ENUM('tool', 'book'), text VARCHAR(60), places VARCHAR(90));
  CREATE TABLE item_tag (item_id INT, position INT, tag VARCHAR(60), PRIMARY KEY (item_id, position));
  CREATE TABLE item_stock (place VARCHAR(20), item_id INT, quantity INT, PRIMARY KEY (place, item_id))`;

const PLAIN: MigrationData = {
  ...DATA,
  tables: [
    tableMappingSchema.parse({ from: 'p', to: 'i', key: { id: 'id' }, columns: { version: 'version' } }),
  ],
};

type Pick = (limit: number) => number;
const oneOf = (pick: Pick, texts: readonly string[]): string => texts[pick(texts.length)] ?? '';
const picker =
  (random: () => number): Pick =>
  (limit) =>
    Math.floor(random() * limit);

/** One of some statements, which may leave nothing behind that hangs on no row: that has no way round. */
let fresh = 1_000;
const inLegacy = (pick: Pick): string => {
  const [id, next] = [1 + pick(60), ++fresh];
  const places = Array.from({ length: 1 + pick(3) }, (_, no) => `SELECT ${no} no, 'place ${pick(9)}' place`);
  return oneOf(pick, [
    `REPLACE INTO product VALUES (${id}, 'n${pick(99)}', ${pick(999)}.5, '${oneOf(pick, ['t', 'b'])}', '${oneOf(pick, ['a', 'a,b', 'c,b,a'])}')`,
    `UPDATE product SET name = 'u${pick(99)}', price = price + 1 WHERE id BETWEEN ${id} AND ${id + 3}`,
    `UPDATE product SET id = ${next} WHERE id = ${id}; UPDATE product_text SET product_id = ${next} WHERE product_id = ${id}; UPDATE product_place SET product_id = ${next} WHERE product_id = ${id}`,
    `DELETE FROM product WHERE id = ${id}; DELETE FROM product_text WHERE product_id = ${id}; DELETE FROM product_place WHERE product_id = ${id}`,
    `REPLACE INTO product_text SELECT id, 'text ${pick(99)}' FROM product WHERE id = ${id}`,
    `DELETE FROM product_place WHERE product_id = ${id}; INSERT INTO product_place SELECT id, no, place FROM product, (${places.join(' UNION ')}) p WHERE id = ${id}`,
    `REPLACE INTO stock VALUES (${id}, 'North', ${pick(99)}), (${id}, 'South', 1)`,
    `UPDATE IGNORE stock SET product_id = ${1 + pick(60)} WHERE product_id = ${id}`,
  ]);
};
const inService = (pick: Pick): string => {
  const [id, next] = [1 + pick(60), ++fresh];
  return oneOf(pick, [
    `REPLACE INTO item VALUES (${id}, 's${pick(99)}', ${pick(9999)}, '${oneOf(pick, ['tool', 'book'])}', ${oneOf(pick, ['NULL', "'t'"])}, ${oneOf(pick, ['NULL', "'x|y'"])})`,
    `UPDATE item SET title = 'v${pick(99)}', price_minor = price_minor + 7, places = '${oneOf(pick, ['p', 'q|r', 'r|q|p'])}' WHERE id BETWEEN ${id} AND ${id + 3}`,
    `UPDATE item SET text = 'w${pick(99)}', kind = 'book' WHERE id = ${id}`,
    `UPDATE item SET id = ${next} WHERE id = ${id}; UPDATE item_tag SET item_id = ${next} WHERE item_id = ${id}`,
    `DELETE FROM item WHERE id = ${id}; DELETE FROM item_tag WHERE item_id = ${id}`,
    `DELETE FROM item_tag WHERE item_id = ${id}; INSERT INTO item_tag SELECT id, 0, 'k${pick(9)}' FROM item WHERE id = ${id}; INSERT INTO item_tag SELECT id, 1, 'l' FROM item WHERE id = ${id}`,
    `REPLACE INTO item_stock VALUES ('West', ${id}, ${pick(99)})`,
    `UPDATE IGNORE item_stock SET item_id = ${1 + pick(60)} WHERE item_id = ${id} LIMIT 1`,
    `DELETE FROM item_stock WHERE item_id = ${id}`,
  ]);
};
const writeSome = async (
  connection: Connection,
  statement: (pick: Pick) => string,
  pick: Pick,
  count: number,
) => {
  for (let each = 0; each < count; each++) await connection.query(statement(pick));
};
const verified = async (sync: Running) => {
  const { body } = await sync.post('verify', {});
  expect(
    (body as Verification).tables.flatMap(({ to, samples }) => samples.map((each) => ({ to, ...each }))),
  ).toEqual([]);
  expect(body).toMatchObject({ clean: true, driftRows: 0 });
  expect(sync.migration().parked?.keys).toBe(0);
};

describe('two streams of a migration', () => {
  it('carry what each side writes there, back, there and back again, and both sides are equal each time', async () => {
    sides = await openTwoSides(DATA, LEGACY, SERVICE);
    const pick = picker(seeded(7));
    await writeSome(sides.legacy.root, inLegacy, pick, 150);
    const sync = await sides.start();
    await sync.tailing('there');
    expect(sync.migration().stream).toBe('there');
    await sides.phase('canary');
    for (let round = 0; round < 2; round++) {
      await writeSome(sides.legacy.root, inLegacy, pick, 60);
      await sides.cutOver(sync, 'back');
      await writeSome(sides.service.root, inService, pick, 60);
      await sync.tailing('back');
      expect(sync.migration().stream).toBe('back');
      await writeSome(sides.service.root, inService, pick, 60);
      await verified(sync);
      // A stream may not write where an application does, and an application not where a stream does.
      await expect(sides.legacy.root.query('DELETE FROM stock LIMIT 1')).rejects.toThrow(/FENCED:stock/);
      if (round === 1) break;
      await sides.cutOver(sync, 'there');
      await writeSome(sides.legacy.root, inLegacy, pick, 60);
      await sync.tailing('there');
      await verified(sync);
    }
  });

  it('do not begin where no handover has said where, and are forgotten with the copy', async () => {
    sides = await openTwoSides(
      PLAIN,
      'CREATE TABLE p (id INT PRIMARY KEY, version INT)',
      'CREATE TABLE i (id INT PRIMARY KEY, version INT)',
    );
    await sides.legacy.root.query('INSERT INTO p VALUES (1, 1)');
    const sync = await sides.start();
    await sync.tailing('there');
    await sides.phase('extracted');
    await until(() => sync.migration().state === 'stopped', 'stopped');
    expect(sync.migration().problem).toMatch(/stream "catalog.back" does not know where it begins/);
    await sides.phase('canary');
    await sync.tailing('there');
    await sides.cutOver(sync, 'back');
    await sync.tailing('back');
    await sides.cutOver(sync, 'there');
    await sync.tailing('there');
    const kept = () =>
      rows(
        sides.legacy,
        `SELECT stream FROM ${sides.legacy.schema}_strangler.apply_offset WHERE stream = 'catalog.back'`,
      );
    expect(await kept()).toHaveLength(1);
    await sides.phase('legacy');
    await until(async () => (await kept()).length === 0, 'forgotten');
    await until(async () => (await rows(sides.service, 'SELECT * FROM i')).length === 0, 'dropped');
    expect(await rows(sides.legacy, 'SELECT * FROM p')).toEqual(['1 1']);
  });

  it('park rows that have no way back, which counts before a rollback', async () => {
    sides = await openTwoSides(DATA, LEGACY, SERVICE.replace("'book'", "'book', 'toy'"));
    await sides.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1, 't', 'x'), (2, 'b', 1, 'b', 'x')");
    const sync = await sides.start();
    await sync.tailing('there');
    await sides.phase('canary');
    await sides.cutOver(sync, 'back');
    await sync.tailing('back');
    await sides.service.root.query(
      "UPDATE item SET kind = 'toy', title = 'new' WHERE id = 1; UPDATE item SET title = 'c' WHERE id = 2",
    );
    await until(() => sync.migration().parked?.keys === 1, 'parked');
    expect(sync.migration().parked?.samples[0]).toMatchObject({
      key: 'product:1',
      problem: expect.stringContaining('"toy"'),
    });
    await until(
      async () => (await rows(sides.legacy, 'SELECT name FROM product ORDER BY id')).join() === 'a,c',
      'the others go on',
    );
    expect((await sync.post('tail', { stream: 'back', rows: 10, deadlineMs: 20_000 })).body).toMatchObject({
      parked: 1,
      tables: expect.arrayContaining([expect.objectContaining({ table: 'product', different: 0 })]),
    });
  });

  it('leave the rows of the monolith alone that the mapping does not take on the way there', async () => {
    const filtered: MigrationData = {
      ...DATA,
      tables: [
        tableMappingSchema.parse({
          from: 'p',
          to: 'i',
          key: { id: 'id' },
          columns: { version: 'version', kind: 'kind' },
          where: { kind: ['t', null] },
        }),
      ],
    };
    const columns = '(id INT PRIMARY KEY, version INT, kind VARCHAR(9))';
    sides = await openTwoSides(filtered, `CREATE TABLE p ${columns}`, `CREATE TABLE i ${columns}`);
    await sides.legacy.root.query(
      "INSERT INTO p VALUES (1, 1, 't'), (2, 1, 'other'), (3, 1, NULL), (4, 1, 'T')",
    );
    const sync = await sides.start();
    await sync.tailing('there');
    await sides.phase('canary');
    await sides.cutOver(sync, 'back');
    await sync.tailing('back');
    await sides.service.root.query('UPDATE i SET version = 2; DELETE FROM i WHERE id = 3');
    await sync.post('reach', { stream: 'back', deadlineMs: 30_000 });
    await verified(sync);
    expect((await sync.post('recopy', { table: 'i' })).status).toBe(200);
    await until(() => sync.migration().recopies?.[0]?.finishedAt != null, 'copied again');
    expect(await rows(sides.legacy, 'SELECT id, version FROM p ORDER BY id')).toEqual(['1 2', '2 1', '4 1']);
    await sides.cutOver(sync, 'there');
  });

  it('stop with a sentence at a fence, and park nothing', async () => {
    sides = await openTwoSides(DATA, LEGACY, SERVICE);
    await sides.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1, 't', 'x')");
    const sync = await sides.start();
    await sync.tailing('there');
    // As if it had not heard that the service has the authority.
    await sides.fence('service', false);
    await sides.legacy.root.query("UPDATE product SET name = 'late'");
    await until(() => sync.migration().state === 'stopped', 'stopped');
    expect(sync.migration().problem).toMatch(
      /stream "catalog" may not write \(.*FENCED:item:0.*\): the other side has the authority/,
    );
    expect(sync.migration().parked?.keys).toBe(0);
    expect(await rows(sides.service, 'SELECT title FROM item')).toEqual(['a']);
  });
});
