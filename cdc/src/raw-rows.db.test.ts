import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import { connect } from './connect.js';
import { isSameRow, readRawRows, rowReader } from './raw-rows.js';
import { readRows } from './sql.js';
import { readTable, type Table } from './table.js';
import { scratchDatabase } from './testing/databases.js';

let database: Awaited<ReturnType<typeof scratchDatabase>>;
let connection: Connection;
let table: Table;
const NAMES = ['id', 'text', 'bytes', 'amount', 'at', 'single', 'flags', 'many'];

beforeAll(async () => {
  database = await scratchDatabase('raw');
  connection = await connect(database);
  await database.root.query(
    `CREATE TABLE nasty (id INT PRIMARY KEY, text TEXT, bytes VARBINARY(20), amount DECIMAL(30,10), at DATETIME(6), single FLOAT, flags BIT(9), many LONGTEXT);
     INSERT INTO nasty VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       (2, '', '', 0, '2024-02-29 23:59:59.999999', 0.1, b'0', ''),
       (3, 'Zürich 🚲', X'00FF10', -12345678901234567890.0123456789, '0001-01-01', 1e30, b'100000001', REPEAT('a', 250)),
       (4, REPEAT('b', 251), X'FB', 1, '2024-01-01', -0.5, b'1', REPEAT('c', 70000)),
       (5, REPEAT('ü', 200), X'FC', 1, '2024-01-01', -0.5, b'1', REPEAT('d', 9000000))`,
  );
  table = (await readTable(connection, database.schema, 'nasty')) as Table;
}, 60_000);
afterAll(async () => {
  connection.destroy();
  await database.drop();
});

describe('rows as the server sent them', () => {
  it('are the rows that the driver decodes, of any length', async () => {
    const rest = 'ORDER BY id';
    const raw = await readRawRows(connection, table, NAMES, rest);
    const read = rowReader(table, NAMES);
    const decoded = raw.starts.map((_, index) => read(raw, index));
    expect(decoded).toEqual(await readRows(connection, table, NAMES, rest));
    expect(decoded).toHaveLength(5);
    expect(raw.bytes).toBeGreaterThan(9_000_000);
  });

  it('are equal when all their values are, or the first so many', async () => {
    const rows = async (select: string) =>
      readRawRows(connection, table, NAMES.slice(0, 3), `WHERE ${select} ORDER BY id`);
    const [one, other] = [await rows('id > 1'), await rows('id > 1')];
    for (let index = 0; index < 4; index++) expect(isSameRow(one, index, other, index)).toBe(true);
    expect(isSameRow(one, 0, other, 1)).toBe(false);
    await database.root.query("UPDATE nasty SET text = 'Zürich 🚳' WHERE id = 3");
    const changed = await rows('id > 1');
    expect(isSameRow(one, 1, changed, 1)).toBe(false);
    expect(isSameRow(one, 1, changed, 1, 1)).toBe(true);
    expect(isSameRow(one, 1, changed, 2, 1)).toBe(false);
  });

  it('fail as the statement does, and leave the connection in order', async () => {
    await expect(readRawRows(connection, table, ['nothing'], '')).rejects.toMatchObject({
      code: 'ER_BAD_FIELD_ERROR',
    });
    expect((await readRawRows(connection, table, ['id'], 'WHERE FALSE')).starts).toEqual([]);
  });
});
