import { type MigrationData, otherSide, type Side } from '@strangler/contracts';
import { type FenceDatabase, quoted, withConnection } from '../fence/fence-database.js';
import { idNotSet } from '../errors.js';
import { readIdColumn } from './id-column.js';
import { idPairsOf } from './id-pairs.js';

export type IdHandOver = {
  readonly data: Pick<MigrationData, 'tables'>;
  readonly legacy: FenceDatabase;
  readonly service: FenceDatabase;
  /** The side that is to write. */
  readonly to: Side;
  /** Numbers left free, `cutover.idGap`. */
  readonly gap: number;
};

/** Whole numbers as texts, because they may be larger than a number can tell exactly. */
export type HandedOverId = {
  readonly table: string;
  readonly column: string;
  /** What the next row of the new side is numbered at the least. */
  readonly next: string;
  /** The greatest number that the column has room for on both sides. */
  readonly most: string;
  /** Whether the counter had to be moved. */
  readonly moved: boolean;
};
export type IdsHandedOver =
  | { readonly kind: 'ready'; readonly tables: readonly HandedOverId[] }
  /** Of these fewer numbers are left than the gap. No counter was moved. */
  | { readonly kind: 'no-room'; readonly tables: readonly HandedOverId[] };

/** An ALTER waits for whoever uses the table, and everyone behind waits for it. */
const DDL_WAIT_SECONDS = 2;
const greatest = (numbers: readonly bigint[]) => numbers.reduce((one, other) => (one > other ? one : other));
const least = (numbers: readonly bigint[]) => numbers.reduce((one, other) => (one < other ? one : other));

/** While the old side writes: sets the counters of the new side so far ahead that numbers which are given out meanwhile are below. Throws ID_NOT_SET. */
export const prepareIds = (handOver: IdHandOver): Promise<IdsHandedOver> => setIds(handOver, handOver.gap);

/** Behind the fence: no counter of the new side gives out a number that the old side has ever given out. Throws ID_NOT_SET. */
export const checkIds = (handOver: IdHandOver): Promise<IdsHandedOver> => setIds(handOver, 0);

/** What `prepareIds` would set, with nothing set. */
export const lookAtIds = (handOver: IdHandOver): Promise<IdsHandedOver> =>
  setIds(handOver, handOver.gap, 'look');

/** `ahead` is how far a counter has to be in front of what is taken to stay as it is. */
const setIds = (handOver: IdHandOver, ahead: number, how: 'set' | 'look' = 'set'): Promise<IdsHandedOver> => {
  const { data, to, gap } = handOver;
  const own = handOver[to];
  const other = handOver[otherSide(to)];
  return withConnection(own, (here) =>
    withConnection(other, async (there) => {
      const ids: HandedOverId[] = [];
      for (const { table, column, others } of idPairsOf(data, to)) {
        const [mine, ...found] = await Promise.all([
          readIdColumn(here, own.schema, table, column),
          ...others.map((each) => readIdColumn(there, other.schema, each.table, each.column)),
        ]);
        // A column that does not count is numbered by the application.
        if (mine?.counter == null) continue;
        const columns = found.filter((its) => its !== null);
        // A number that the other side has given out may be known to somebody although no row has it.
        const taken = greatest([
          mine.behindRows,
          ...columns.flatMap(({ behindRows, counter }) => [behindRows, counter ?? 1n]),
        ]);
        const moved = mine.counter < taken + BigInt(ahead);
        const next = moved ? taken + BigInt(gap) : mine.counter;
        // What is numbered here goes back there.
        const most = least([mine.most, ...columns.map((each) => each.most)]);
        ids.push({ table, column, next: String(next), most: String(most), moved });
      }
      const wanted = BigInt(Math.max(gap, 1));
      const full = ids.filter(({ next, most }) => BigInt(most) - BigInt(next) + 1n < wanted);
      if (full.length > 0) return { kind: 'no-room', tables: full };
      if (how === 'look') return { kind: 'ready', tables: ids };
      await here.query(`SET lock_wait_timeout = ${DDL_WAIT_SECONDS}`);
      for (const { table, column, next, moved } of ids) {
        if (!moved) continue;
        await here
          .query(`ALTER TABLE ${quoted(own.schema, table)} AUTO_INCREMENT = ${next}`)
          .catch((cause: unknown) => {
            throw idNotSet(own.name, table, next, cause);
          });
        const set = await readIdColumn(here, own.schema, table, column);
        if (set?.counter == null || set.counter < BigInt(next))
          throw idNotSet(own.name, table, next, undefined);
      }
      return { kind: 'ready', tables: ids };
    }),
  );
};
