import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationData } from '@strangler/contracts';
import type { ResultSetHeader } from 'mysql2/promise';
import { openShop, type Shop } from '../fence/shop.fixture.js';
import { checkIds, type IdHandOver, lookAtIds, prepareIds } from './hand-over-ids.js';

let legacy: Shop;
let service: Shop;
beforeEach(async () => {
  [legacy, service] = await Promise.all([openShop(), openShop()]);
});
afterEach(() => Promise.all([legacy.close(), service.close()]));

const mapping = (from: string, to: string, key: Record<string, string> = { id: 'id' }) =>
  ({ from, to, key }) as unknown as MigrationData['tables'][number];
const handOver = (to: 'legacy' | 'service', gap: number, tables = [mapping('one', 'one')]): IdHandOver => ({
  data: { tables },
  legacy: legacy.database,
  service: service.database,
  to,
  gap,
});
const insert = async (shop: Shop, id?: number | string, table = 'one'): Promise<number> => {
  const [{ insertId }] = await shop.root.query<ResultSetHeader>(
    id === undefined
      ? `INSERT INTO ${table} (title) VALUES ('x')`
      : `INSERT INTO ${table} (id, title) VALUES (${id}, 'x')`,
  );
  return insertId;
};
const burn = async (shop: Shop, times: number) => {
  await shop.root.query('START TRANSACTION');
  let last = 0;
  for (let time = 0; time < times; time++) last = await insert(shop);
  await shop.root.query('ROLLBACK');
  return last;
};

describe('numbers of rows', () => {
  it('of the new side are above every one that the old side has given out, rolled back or deleted', async () => {
    for (let time = 0; time < 3; time++) await insert(service, await insert(legacy));
    const burnt = await burn(legacy, 5);
    expect(await checkIds(handOver('service', 0))).toEqual({
      kind: 'ready',
      tables: [{ table: 'one', column: 'id', next: String(burnt + 1), most: '2147483647', moved: true }],
    });
    expect(await insert(service)).toBe(burnt + 1);
  });

  it('are set ahead by the gap while the old side writes, and once more is nothing', async () => {
    await insert(legacy);
    const next = { table: 'one', column: 'id', next: '102', most: '2147483647' };
    expect(await prepareIds(handOver('service', 100))).toEqual({
      kind: 'ready',
      tables: [{ ...next, moved: true }],
    });
    expect(await prepareIds(handOver('service', 100))).toEqual({
      kind: 'ready',
      tables: [{ ...next, moved: false }],
    });
    // What comes by the stream meanwhile is numbered below.
    for (let time = 0; time < 60; time++) await insert(service, await insert(legacy));
    expect(await checkIds(handOver('service', 100))).toEqual({
      kind: 'ready',
      tables: [{ ...next, moved: false }],
    });
    expect(await insert(service)).toBe(102);
  });

  it('are looked at without being set', async () => {
    await insert(legacy);
    expect(await lookAtIds(handOver('service', 100))).toMatchObject({
      kind: 'ready',
      tables: [{ next: '102', moved: true }],
    });
    expect(await insert(service)).toBe(1);
    await insert(legacy, 2_147_483_600);
    expect(await lookAtIds(handOver('service', 100))).toMatchObject({ kind: 'no-room' });
  });

  it('are set again behind the fence when the old side has used up the gap', async () => {
    await prepareIds(handOver('service', 3));
    const last = await burn(legacy, 9);
    expect(await checkIds(handOver('service', 3))).toMatchObject({
      tables: [{ next: String(last + 1 + 3), moved: true }],
    });
    expect(await insert(service)).toBe(last + 4);
  });

  it('go back in the same way, above those that the service has given out', async () => {
    await insert(legacy, 40);
    await prepareIds(handOver('service', 10));
    const last = Math.max(await insert(service), await burn(service, 4));
    expect(await prepareIds(handOver('legacy', 10))).toMatchObject({ kind: 'ready' });
    expect(await checkIds(handOver('legacy', 10))).toMatchObject({ tables: [{ moved: false }] });
    expect(await insert(legacy)).toBe(last + 11);
  });

  it('follow a row whose number was changed by hand, which moves no counter', async () => {
    await insert(legacy);
    await legacy.root.query('UPDATE one SET id = 500');
    await insert(service);
    await service.root.query('UPDATE one SET id = 700');
    await checkIds(handOver('service', 0));
    expect(await insert(service)).toBe(701);
  });

  it('leave columns alone that do not count, or whose other side has no whole numbers', async () => {
    await service.root.query('CREATE TABLE plain (id INT PRIMARY KEY, code VARCHAR(9))');
    await legacy.root.query('CREATE TABLE coded (id VARCHAR(9) PRIMARY KEY)');
    await legacy.root.query("INSERT INTO coded VALUES ('seven')");
    const tables = [mapping('one', 'plain'), mapping('coded', 'two')];
    expect(await checkIds(handOver('service', 5, tables))).toEqual({
      kind: 'ready',
      tables: [{ table: 'two', column: 'id', next: '1', most: '2147483647', moved: false }],
    });
  });

  it('of several tables that become one are all respected', async () => {
    await insert(legacy, 5, 'one');
    await insert(legacy, 90, 'two');
    await checkIds(handOver('service', 0, [mapping('one', 'one'), mapping('two', 'one')]));
    expect(await insert(service)).toBe(91);
  });

  it('have to have room in the narrower of the two columns, else nothing is moved', async () => {
    await service.root.query('ALTER TABLE one MODIFY id BIGINT UNSIGNED AUTO_INCREMENT');
    await insert(legacy, 2_147_483_600);
    expect(await prepareIds(handOver('service', 100))).toEqual({
      kind: 'no-room',
      tables: [{ table: 'one', column: 'id', next: '2147483701', most: '2147483647', moved: true }],
    });
    expect(await insert(service)).toBe(1);
    expect(await prepareIds(handOver('service', 10))).toMatchObject({ kind: 'ready' });
    expect(await insert(service)).toBe(2_147_483_611);
  });

  it('are told exactly where they are larger than a number can be', async () => {
    for (const shop of [legacy, service])
      await shop.root.query('ALTER TABLE one MODIFY id BIGINT UNSIGNED AUTO_INCREMENT');
    await insert(legacy, '9007199254740993');
    expect(await checkIds(handOver('service', 2))).toMatchObject({
      tables: [{ next: '9007199254740996', most: '18446744073709551615' }],
    });
  });

  it('cannot be set by an account without ALTER, which is said', async () => {
    const account = await service.account([`SELECT ON \`${service.database.schema}\`.*`]);
    await insert(legacy, 8);
    await expect(checkIds({ ...handOver('service', 1), service: account.database })).rejects.toMatchObject({
      code: 'ID_NOT_SET',
    });
  });
});
