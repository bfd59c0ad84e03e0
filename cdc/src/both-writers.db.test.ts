// Long: each policy against random writers on both sides, and what each does when everything meets.

import { afterEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import type { KeptConflict } from '@strangler/contracts';
import { readConflicts } from './conflict-journal.js';
import { controlSchemaOf } from './connect.js';
import type { MigrationSync } from './migration-sync.js';
import { seeded, until } from './testing/databases.js';
import { BACK, type Declared, openTwoWay, THERE, type TwoWay } from './testing/two-way.js';

let pair: TwoWay;
afterEach(() => pair.drop());

const NAMES = {
  legacy: ['product', 'id', 'name', 'price', 'quantity'],
  service: ['item', 'item_id', 'title', 'cost', 'stock'],
} as const;
type Side = keyof typeof NAMES;

const legacyWins = (more: object = {}): Declared => ({
  there: { writers: 'both', conflicts: { authority: 'source', ...more } },
  back: { writers: 'both', conflicts: { authority: 'target', ...mirrored(more) } },
});
const serviceWins = (more: object = {}): Declared => {
  const { there, back } = legacyWins(mirrored(more));
  return {
    there: {
      writers: 'both',
      conflicts: { ...(there as { conflicts: object }).conflicts, ...more, authority: 'target' },
    },
    back: {
      writers: 'both',
      conflicts: { ...(back as { conflicts: object }).conflicts, ...mirrored(more), authority: 'source' },
    },
  };
};
const BACKWARDS: Readonly<Record<string, string>> = {
  title: 'name',
  cost: 'price',
  stock: 'quantity',
  version: 'version',
  source: 'target',
  target: 'source',
};
/** The same declaration seen from the other side. */
function mirrored(more: object): object {
  const { columns, ...rest } = more as { columns?: Record<string, string> };
  return columns === undefined
    ? rest
    : {
        ...rest,
        columns: Object.fromEntries(
          Object.entries(columns).map(([name, rule]) => [BACKWARDS[name] ?? name, BACKWARDS[rule] ?? rule]),
        ),
      };
}

const KEYS = 6;
/** Few keys and few values, so that writes meet and values come back. */
async function writeAtRandom(
  side: Side,
  random: () => number,
  rounds: number,
  kinds: readonly ('row' | 'sum' | 'one' | 'other' | 'come' | 'go' | 'move')[],
  raise: () => number,
): Promise<number> {
  const connection = await pair.writer(side);
  const [table, key, name, price, quantity] = NAMES[side];
  const pick = (limit: number) => Math.floor(random() * limit);
  let added = 0;
  for (let round = 0; round < rounds; round++) {
    const id = 1 + pick(KEYS);
    const amount = pick(9) - 4;
    const kind = kinds[pick(kinds.length)] ?? 'row';
    const statement = {
      row: `UPDATE ${table} SET ${name} = 'n${pick(3)}', ${price} = ${pick(3)}, version = version + 1 WHERE ${key} = ${id}`,
      sum: `UPDATE ${table} SET ${quantity} = ${quantity} + ${amount} WHERE ${key} = ${id}`,
      one: `UPDATE ${table} SET ${name} = 'n${pick(3)}' WHERE ${key} = ${id}`,
      other: `UPDATE ${table} SET ${price} = ${pick(5)} WHERE ${key} = ${id}`,
      come: `INSERT IGNORE INTO ${table} (${key}, ${name}, ${price}, ${quantity}, version) VALUES (${id}, 'new', ${pick(3)}, ${pick(3)}, ${raise()})`,
      go: `DELETE FROM ${table} WHERE ${key} = ${id}`,
      move: `UPDATE IGNORE ${table} SET ${key} = ${1 + pick(KEYS)}, version = ${raise()} WHERE ${key} = ${id}`,
    }[kind];
    const [result] = await connection.query(statement).catch((error: { errno?: number }) => {
      if (![1213, 1205].includes(error.errno ?? 0)) throw error;
      return [{ affectedRows: 0 }];
    });
    if (kind === 'sum') added += amount * (result as { affectedRows: number }).affectedRows;
    if (random() < 0.3) await new Promise((done) => setTimeout(done, 12 * random()));
  }
  return added;
}

type Kinds = Parameters<typeof writeAtRandom>[3];
const ALL: Kinds = ['row', 'row', 'row', 'come', 'go', 'sum', 'move'];

type Streams = { readonly there: MigrationSync; readonly back: MigrationSync };
const stop = async ({ there, back }: Streams) => {
  await Promise.all([there.stop(), back.stop()]);
};
const goOn = async (...syncs: readonly MigrationSync[]) => {
  for (const sync of syncs) await sync.wish('run');
  await until(() => syncs.every((sync) => sync.evidence(Date.now()).state === 'tailing'), 'tailing', 30_000);
};

/** Both sides write at once, first with both streams between them, then a few times without; each time they have to be equal once all is quiet. */
async function writeOnBoth(
  declared: Declared,
  kinds: { legacy: Kinds; service: Kinds },
  { meanwhile }: { readonly meanwhile?: (streams: Streams) => Promise<void> } = {},
) {
  const seed = Date.now() % 1e9;
  pair = await openTwoWay(declared);
  await pair.legacy.root.query(
    `INSERT INTO product VALUES ${Array.from({ length: KEYS }, (_, index) => `(${index + 1}, 'n0', 0, 100, 1)`).join()}`,
  );
  const streams = await pair.start({ tripwire: { crossings: 1_000, windowMs: 1, keys: 10 } });
  let highest = 1_000;
  const raise = () => (highest += 1_000);
  let added = 0;
  const write = async (round: number, writes: number) => {
    const sums = await Promise.all([
      writeAtRandom('legacy', seeded(seed + 2 * round), writes, kinds.legacy, raise),
      writeAtRandom('service', seeded(seed + 2 * round + 1), writes, kinds.service, raise),
    ]);
    added += sums[0] + sums[1];
  };
  const apart: unknown[] = [];
  const compare = async (round: number) => {
    await pair.quiet();
    const [legacy, service] = [await pair.rows('legacy'), await pair.rows('service')];
    if (legacy.join() !== service.join()) apart.push({ seed, round, legacy, service });
  };
  await Promise.all([write(0, 150), meanwhile?.(streams)]);
  await compare(0);
  // Without a stream nobody sees what the other one has written: this is where values that come back are taken for old ones.
  for (let round = 1; round <= 4; round++) {
    await stop(streams);
    await write(round, 20);
    await goOn(...(round % 2 === 0 ? [streams.there, streams.back] : [streams.back, streams.there]));
    await compare(round);
  }
  const conflicts = [streams.there, streams.back].flatMap(
    (sync) => sync.evidence(Date.now()).conflicts ?? [],
  );
  return { apart, added, conflicts, ...streams };
}

const won = (conflicts: readonly { winner: string; count: number }[], winner: string): number =>
  conflicts.filter((each) => each.winner === winner).reduce((sum, { count }) => sum + count, 0);
const sumOf = async (): Promise<number> => {
  const [rows] = await pair.legacy.root.query<RowDataPacket[]>('SELECT SUM(quantity) n FROM product');
  return Number(rows[0]?.['n']);
};
const journal = async (side: Side, stream: string): Promise<readonly KeptConflict[]> =>
  readConflicts(pair[side].root, controlSchemaOf(pair[side]), stream);

describe('a table that both sides write', () => {
  it.each([
    ['legacy', legacyWins()],
    ['service', serviceWins()],
  ] as const)(
    'is equal on both sides in the end where %s has the authority, also when values come back and rows go',
    async (_, declared) => {
      const { apart, conflicts } = await writeOnBoth(declared, { legacy: ALL, service: ALL });
      expect(apart).toEqual([]);
      // Writes did meet, and each side has settled its own.
      expect(won(conflicts, 'source')).toBeGreaterThan(0);
      expect(won(conflicts, 'target')).toBeGreaterThan(0);
    },
  );

  it('is equal in the end when it is copied again meanwhile', async () => {
    const meanwhile = async ({ there }: Streams) => {
      await there.recopy({ table: 'product' });
      await until(() => there.evidence(Date.now()).recopies?.[0]?.finishedAt != null, 'copied', 20_000);
    };
    const columns = { stock: 'additive' };
    const kinds = { legacy: ALL, service: ALL };
    expect((await writeOnBoth(legacyWins({ columns }), kinds, { meanwhile })).apart).toEqual([]);
  });

  it('has exact sums, with nothing lost of either side', async () => {
    const kinds: Kinds = ['sum', 'sum', 'row'];
    const columns = { stock: 'additive' };
    const { apart, added } = await writeOnBoth(legacyWins({ columns }), { legacy: kinds, service: kinds });
    expect(apart).toEqual([]);
    expect(await sumOf()).toBe(100 * KEYS + added);
  });

  it.each([
    ['legacy', legacyWins({ columns: { stock: 'additive' } })],
    ['service', serviceWins({ columns: { stock: 'additive' } })],
  ] as const)(
    'has equal sums in the end also when rows come, go and come again, by %s',
    async (_, declared) => {
      expect((await writeOnBoth(declared, { legacy: ALL, service: ALL })).apart).toEqual([]);
    },
  );

  it('has of each column what its owner wrote, also where the other one has written it', async () => {
    const columns = { title: 'source', cost: 'target' };
    const { apart, conflicts } = await writeOnBoth(legacyWins({ columns }), {
      legacy: ['one', 'one', 'one', 'other'],
      service: ['other', 'other', 'other', 'one'],
    });
    expect(apart).toEqual([]);
    expect(conflicts.some(({ policy, winner }) => policy === 'column-owner' && winner === 'target')).toBe(
      true,
    );
  });

  it('has owned columns equal in the end also when rows come and go', async () => {
    const columns = { title: 'source', cost: 'target', stock: 'additive' };
    const { apart } = await writeOnBoth(legacyWins({ columns }), {
      legacy: ['one', 'one', 'come', 'go', 'sum', 'move'],
      service: ['other', 'other', 'come', 'go', 'sum', 'move'],
    });
    expect(apart).toEqual([]);
  });

  it.each([
    ['legacy', legacyWins({ policy: 'version', version: 'version' })],
    ['service', serviceWins({ policy: 'version', version: 'version' })],
  ] as const)('has the row of the higher version, and of two equal ones that of %s', async (_, declared) => {
    const kinds: Kinds = ['row', 'row', 'row', 'come', 'go'];
    expect((await writeOnBoth(declared, { legacy: kinds, service: kinds })).apart).toEqual([]);
  });

  it('is not fooled by a row that looks as it did before, or is gone as it was before', async () => {
    pair = await openTwoWay(legacyWins());
    await pair.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1, 1, 1)");
    const streams = await pair.start();
    await stop(streams);
    await pair.legacy.root.query(
      "UPDATE product SET name = 'b' WHERE id = 1; UPDATE product SET name = 'a' WHERE id = 1; INSERT INTO product VALUES (2, 'x', 1, 1, 1); DELETE FROM product WHERE id = 2",
    );
    await pair.service.root.query(
      "UPDATE item SET title = 'c' WHERE item_id = 1; INSERT INTO item (item_id, title) VALUES (2, 'y')",
    );
    // The way back goes first, and finds everything as its writer had it.
    await goOn(streams.back);
    await until(
      () => won(streams.back.evidence(Date.now()).conflicts ?? [], 'target') === 2,
      'both are refused',
    );
    await goOn(streams.there);
    await pair.quiet();
    expect(await pair.rows('legacy')).toEqual(['1 a 1.00 1 1']);
    expect(await pair.rows('service')).toEqual(['1 a 1.00 1 1']);
    const [kept] = await journal('legacy', BACK);
    expect(kept).toMatchObject({ table: 'product', policy: 'authority', winner: 'target' });
    const rows = (await journal('legacy', BACK)).map(({ key, source, target }) => ({ key, source, target }));
    expect(rows).toContainEqual({
      key: '1',
      source: { name: 'c', price: '1.00', quantity: '1', version: '1' },
      target: { id: '1', name: 'a', price: '1.00', quantity: '1', version: '1' },
    });
  });

  it('waits for a person where the plan says so, key by key', async () => {
    const manual = { writers: 'both', conflicts: { policy: 'manual' } };
    pair = await openTwoWay({ there: manual, back: manual });
    await pair.legacy.root.query(
      "INSERT INTO product VALUES (1, 'a', 1, 1, 1), (2, 'a', 1, 1, 1), (3, 'a', 1, 1, 1)",
    );
    const streams = await pair.start();
    await stop(streams);
    await pair.legacy.root.query("UPDATE product SET name = 'legacy' WHERE id IN (1, 2)");
    await pair.service.root.query("UPDATE item SET title = 'service' WHERE item_id IN (1, 2)");
    await goOn(streams.there, streams.back);
    await pair.service.root.query("UPDATE item SET title = 'free' WHERE item_id = 3");
    await pair.quiet();
    expect(streams.there.parked().map(({ key, code }) => `${key} ${code}`)).toEqual([
      'item:1 CONFLICT_UNDECIDED',
      'item:2 CONFLICT_UNDECIDED',
    ]);
    expect(streams.back.parked().map(({ key }) => key)).toEqual(['product:1', 'product:2']);
    expect(await pair.rows('legacy')).toEqual(['1 legacy 1.00 1 1', '2 legacy 1.00 1 1', '3 free 1.00 1 1']);
    const discard = { by: 'ada', why: 'the other one is right' };
    await streams.there.settleParked({ key: 'item:1' });
    await streams.back.settleParked({ key: 'product:1', discard });
    await streams.back.settleParked({ key: 'product:2' });
    await streams.there.settleParked({ key: 'item:2', discard });
    await pair.service.root.query('UPDATE item SET cost = 7 WHERE item_id = 1');
    await pair.quiet();
    expect(await pair.rows('legacy')).toEqual(['1 legacy 7.00 1 1', '2 service 1.00 1 1', '3 free 1.00 1 1']);
    expect(await pair.rows('service')).toEqual(await pair.rows('legacy'));
  });

  it('keeps what was written into the target where nothing is carried back, by the images of the rows', async () => {
    pair = await openTwoWay({ there: { writers: 'both', conflicts: { authority: 'target' } } });
    await pair.legacy.root.query("INSERT INTO product VALUES (1, 'a', 1, 1, 1), (2, 'a', 1, 1, 1)");
    const there = pair.alone();
    await goOn(there);
    await pair.service.root.query("UPDATE item SET title = 'theirs' WHERE item_id = 1");
    await pair.legacy.root.query("UPDATE product SET name = 'b'");
    await until(async () => (await pair.rows('service'))[1] === '2 b 1.00 1 1', 'the second is carried');
    expect(await pair.rows('service')).toEqual(['1 theirs 1.00 1 1', '2 b 1.00 1 1']);
    expect(there.evidence(Date.now()).conflicts).toEqual([
      { table: 'item', policy: 'authority', winner: 'target', count: 1 },
    ]);
    expect(there.evidence(Date.now()).strayWrites).toBeUndefined();
    expect(await journal('service', THERE)).toHaveLength(1);
  });
});
