import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { connect } from './connect.js';
import { rawBuffers } from './raw-buffers.js';
import { cutRows, isSameRow, type RawRows, readRawRows, rowReader } from './raw-rows.js';
import { rawStream } from './raw-stream.js';
import { readRows } from './sql.js';
import { readTable, type Table } from './table.js';
import { scratchDatabase, until } from './testing/databases.js';

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
    const raw = await readRawRows(connection, table, NAMES, rest, rawBuffers());
    const read = rowReader(table, NAMES);
    const rows = cutRows(raw);
    const decoded = rows.starts.map((_, index) => read(rows, index));
    expect(decoded).toEqual(await readRows(connection, table, NAMES, rest));
    expect(decoded).toHaveLength(5);
    expect(raw.wire.length).toBeGreaterThan(9_000_000);
  });

  it('are the same on any connection, and none is read into what another has', async () => {
    const rest = 'ORDER BY id';
    const decoded = await readRows(connection, table, NAMES, rest);
    const buffers = rawBuffers();
    const read = rowReader(table, NAMES);
    const compressed = { ...database, url: `${database.url}?compress=true` };
    for (const [to, options] of [
      [database, { stream: rawStream }],
      [compressed, { stream: rawStream }],
      [compressed, {}],
    ] as const) {
      const other = await connect(to, [], options);
      try {
        for (let round = 0; round < 3; round++) {
          const [one, more] = await Promise.all(
            [other, connection].map((each) => readRawRows(each, table, NAMES, rest, buffers)),
          );
          for (const raw of [one, more] as RawRows[]) {
            const rows = cutRows(raw);
            expect(rows.starts.map((_, index) => read(rows, index))).toEqual(decoded);
          }
          expect(await readRows(other, table, NAMES, rest)).toEqual(decoded);
          await expect(readRawRows(other, table, ['nothing'], '', buffers)).rejects.toThrow('nothing');
          for (const raw of [one, more]) raw?.giveBack();
        }
      } finally {
        other.destroy();
      }
    }
  });

  it('fail when the server ends the statement or the connection in between', async () => {
    const other = await connect(database, [], { stream: rawStream });
    const [ids] = await other.query<RowDataPacket[]>('SELECT CONNECTION_ID() id');
    const slow = () =>
      expect(readRawRows(other, table, ['id', 'many'], 'WHERE SLEEP(0.2) = 0', rawBuffers())).rejects.toThrow(
        /lost|killed|interrupted|ECONNRESET/i,
      );
    const failed = slow();
    await until(async () => {
      const [busy] = await database.root.query<RowDataPacket[]>(
        'SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND INFO LIKE ?',
        [ids[0]?.['id'], '%SLEEP%'],
      );
      return busy.length > 0;
    }, 'the statement');
    await database.root.query(`KILL ${ids[0]?.['id']}`);
    await failed;
    other.destroy();
  });

  it('are equal when all their values are, or the first so many', async () => {
    const rows = async (select: string) =>
      cutRows(
        await readRawRows(connection, table, NAMES.slice(0, 3), `WHERE ${select} ORDER BY id`, rawBuffers()),
      );
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
    await expect(readRawRows(connection, table, ['nothing'], '', rawBuffers())).rejects.toMatchObject({
      code: 'ER_BAD_FIELD_ERROR',
    });
    const none = await readRawRows(connection, table, ['id'], 'WHERE FALSE', rawBuffers());
    expect([none.count, none.wire.length]).toEqual([0, 0]);
  });
});
