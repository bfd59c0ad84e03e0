import { afterEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { type KeptConflict, readConflicts } from './conflict-journal.js';
import { controlSchemaOf } from './connect.js';
import { seeded } from './testing/databases.js';
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

/** Both sides write at once; the rows of both sides when all is quiet, and what was added. */
async function writeOnBoth(declared: Declared, kinds: { legacy: Kinds; service: Kinds }, rounds = 250) {
  const seed = Date.now() % 1e9;
  pair = await openTwoWay(declared);
  await pair.legacy.root.query(
    `INSERT INTO product VALUES ${Array.from({ length: KEYS }, (_, index) => `(${index + 1}, 'n0', 0, 100, 1)`).join()}`,
  );
  const streams = await pair.start({ tripwire: { crossings: 1_000, windowMs: 1, keys: 10 } });
  let highest = 1_000;
  const raise = () => (highest += 1_000);
  const added = await Promise.all([
    writeAtRandom('legacy', seeded(seed), rounds, kinds.legacy, raise),
    writeAtRandom('service', seeded(seed + 1), rounds, kinds.service, raise),
  ]);
  await pair.quiet();
  const [legacy, service] = [await pair.rows('legacy'), await pair.rows('service')];
  const conflicts = [streams.there, streams.back].flatMap(
    (sync) => sync.evidence(Date.now()).conflicts ?? [],
  );
  return { seed, legacy, service, added: added[0] + added[1], conflicts, ...streams };
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
      const { seed, legacy, service, conflicts } = await writeOnBoth(declared, { legacy: ALL, service: ALL });
      expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
      // Writes did meet, and each side has settled its own.
      expect(won(conflicts, 'source')).toBeGreaterThan(0);
      expect(won(conflicts, 'target')).toBeGreaterThan(0);
    },
  );

  it('has exact sums, with nothing lost of either side', async () => {
    const kinds: Kinds = ['sum', 'sum', 'row'];
    const { seed, legacy, service, added } = await writeOnBoth(
      legacyWins({ columns: { stock: 'additive' } }),
      { legacy: kinds, service: kinds },
    );
    expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
    expect(await sumOf()).toBe(100 * KEYS + added);
  });

  it('has equal sums in the end also when rows come, go and come again', async () => {
    for (const declared of [
      legacyWins({ columns: { stock: 'additive' } }),
      serviceWins({ columns: { stock: 'additive' } }),
    ]) {
      const { seed, legacy, service } = await writeOnBoth(declared, { legacy: ALL, service: ALL });
      expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
      await pair.drop();
    }
    pair = await openTwoWay();
  });

  it('has of each column what its owner wrote, also where the other one has written it', async () => {
    const columns = { title: 'source', cost: 'target' };
    const { seed, legacy, service, conflicts } = await writeOnBoth(legacyWins({ columns }), {
      legacy: ['one', 'one', 'one', 'other'],
      service: ['other', 'other', 'other', 'one'],
    });
    expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
    expect(conflicts.some(({ policy, winner }) => policy === 'column-owner' && winner === 'target')).toBe(
      true,
    );
  });

  it('has owned columns equal in the end also when rows come and go', async () => {
    const columns = { title: 'source', cost: 'target', stock: 'additive' };
    const { seed, legacy, service } = await writeOnBoth(legacyWins({ columns }), {
      legacy: ['one', 'one', 'come', 'go', 'sum', 'move'],
      service: ['other', 'other', 'come', 'go', 'sum', 'move'],
    });
    expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
  });

  it('has the row of the higher version', async () => {
    for (const declared of [
      legacyWins({ policy: 'version', version: 'version' }),
      serviceWins({ policy: 'version', version: 'version' }),
    ]) {
      const { seed, legacy, service } = await writeOnBoth(declared, {
        legacy: ['row', 'row', 'row', 'come', 'go'],
        service: ['row', 'row', 'row', 'come', 'go'],
      });
      expect({ seed, rows: service }).toEqual({ seed, rows: legacy });
      await pair.drop();
    }
    pair = await openTwoWay();
  });
});
void journal;
void THERE;
void BACK;
