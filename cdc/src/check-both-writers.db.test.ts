import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tableMappingSchema } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { checkConflictColumns, checkEcho } from './check-both-writers.js';
import { controlSchemaOf } from './connect.js';
import { ensureTables, SOURCE_TABLES, TARGET_TABLES } from './control-tables.js';
import { readTable, type Table } from './table.js';
import { scratchDatabase } from './testing/databases.js';

let side: Awaited<ReturnType<typeof scratchDatabase>>;
beforeEach(async () => {
  side = await scratchDatabase('legacy');
  await side.root.query(
    'CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(9), share DOUBLE, price DECIMAL(9,2), version INT)',
  );
});
afterEach(() => side.drop());

const check = () => checkEcho({ database: side, connection: side.root }, new AbortController().signal);

describe('the preflight of a table that both sides write', () => {
  it('tries the log where the control tables are there, and writes nothing where they are not', async () => {
    expect(await check()).toEqual([]);
    await ensureTables(side.root, controlSchemaOf(side), { ...SOURCE_TABLES, ...TARGET_TABLES });
    expect(await check()).toEqual([]);
    const [canaries] = await side.root.query<RowDataPacket[]>(
      `SELECT stream FROM ${controlSchemaOf(side)}.canary`,
    );
    expect(canaries).toEqual([{ stream: 'check' }]);
  });

  it('refuses columns that nothing can be added to, and versions that are not whole', async () => {
    const problems = async (conflicts: object) => {
      const mapping = tableMappingSchema.parse({
        from: 'item',
        to: 'product',
        key: { id: 'id' },
        columns: { name: 'name', share: 'share', price: 'price', version: 'version' },
        writers: 'both',
        conflicts,
      });
      const target = (await readTable(side.root, side.schema, 'product')) as Table;
      return checkConflictColumns(mapping, target, 'tables[0]').map(({ path }) => path);
    };
    const additive = { name: 'additive', share: 'additive', price: 'additive', version: 'additive' };
    expect(await problems({ columns: additive })).toEqual([
      'tables[0].conflicts.columns.name',
      'tables[0].conflicts.columns.share',
    ]);
    expect(await problems({ policy: 'version', version: 'price' })).toEqual(['tables[0].conflicts.version']);
    expect(await problems({ policy: 'version', version: 'version' })).toEqual([]);
  });
});
