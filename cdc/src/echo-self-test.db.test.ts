import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { binlogSource } from './binlog-source.js';
import type { CapturedTable, ChangeSource } from './change-source.js';
import { testEcho } from './echo-self-test.js';
import type { MigrationSync } from './migration-sync.js';
import { openShop, settled, type Shop } from './testing/shop.js';

let shop: Shop;
let sync: MigrationSync;

beforeEach(async () => {
  shop = await openShop();
  sync = shop.sync();
  void sync.wish('run');
  await settled(shop, () => sync.evidence(Date.now()));
});
afterEach(async () => {
  await sync.stop();
  await shop.drop();
});

const run = (change: (source: ChangeSource) => ChangeSource, deadlineMs?: number) =>
  testEcho(
    {
      stream: 'catalog',
      target: shop.to,
      sourceOf: (tables: readonly CapturedTable[]) => change(binlogSource({ database: shop.to, tables })),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    },
    new AbortController().signal,
  );
/** The log with the changes of some transactions taken away. */
const without = (table: string, source: ChangeSource): ChangeSource => ({
  now: () => source.now(),
  async *stream(from, signal) {
    for await (const transaction of source.stream(from, signal))
      yield { ...transaction, changes: transaction.changes.filter((change) => change.table !== table) };
  },
});

describe('the echo self-test', () => {
  it('holds of a log that brings marks, while the flow goes on', async () => {
    await run((source) => source);
    await shop.from.root.query("INSERT INTO product (name) VALUES ('later')");
    await settled(shop, () => sync.evidence(Date.now()));
    expect(await shop.differences()).toEqual([]);
  });

  it('fails where marks are lost, and where no canary comes', async () => {
    await expect(run((source) => without('apply_offset', source))).rejects.toMatchObject({
      code: 'ECHO_UNTOLD',
      message: expect.stringContaining('a write of ours arrives without its mark'),
    });
    await expect(run((source) => without('canary', source), 500)).rejects.toThrow(
      'no canary came within 500 ms',
    );
  });
});
