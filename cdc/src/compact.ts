import type { ChangeEvent, Offset, Row, StranglerError } from '@strangler/contracts';
import { keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';

/** One row of a target table that has to change. `change` is what asked for it, kept where the row has to be parked. */
export type RowWrite =
  | {
      readonly kind: 'upsert';
      readonly pair: TablePair;
      readonly row: MappedRow;
      /** Whether the target has the row already; left out when only the target can say. */
      readonly isNew?: boolean;
      readonly change?: ChangeEvent;
    }
  | {
      readonly kind: 'rekey';
      readonly pair: TablePair;
      readonly from: Row;
      readonly row: MappedRow;
      readonly change?: ChangeEvent;
    }
  | { readonly kind: 'delete'; readonly pair: TablePair; readonly key: Row; readonly change?: ChangeEvent };

/** A source table was emptied. */
type EmptyWrite = { readonly kind: 'empty'; readonly pair: TablePair; readonly change?: ChangeEvent };

/** What is done to a key of the parking lot. */
export type ParkingWrite =
  /** The mapping has no answer for the row: it is parked. */
  | {
      readonly kind: 'unmapped';
      readonly pair: TablePair;
      readonly key: Row;
      readonly change?: ChangeEvent;
      readonly error: StranglerError;
    }
  /** A parked key becomes what its source row is now; null: there is none, an error: it cannot be mapped still. */
  | {
      readonly kind: 'repair';
      readonly pair: TablePair;
      readonly key: Row;
      readonly row: MappedRow | null;
      readonly seen?: Offset | undefined;
      readonly error?: StranglerError;
      readonly change?: undefined;
    }
  | {
      readonly kind: 'discard';
      readonly pair: TablePair;
      readonly key: Row;
      readonly by: string;
      readonly why: string;
      readonly change?: undefined;
    };
/** A change of a row that the target's own writers may have changed too. */
export type MergeWrite = {
  readonly kind: 'merge';
  readonly pair: TablePair;
  readonly key: Row;
  /** Undefined: nobody knows, because the row was read and not logged. */
  readonly before: MappedRow | null | undefined;
  readonly row: MappedRow | null;
  /** How far its writer had seen the target's log. */
  readonly seen?: Offset | undefined;
  readonly isAnswer?: boolean;
  readonly change?: ChangeEvent;
};
export type Write = RowWrite | MergeWrite | ParkingWrite | EmptyWrite;

/**
 * Many writes to one table of which only the end counts: first `deletes`, then `updates`, `inserts` and `upserts`. A key is at most once in
 * `deletes` and once in one of the others.
 */
export type Bulk = {
  readonly kind: 'bulk';
  readonly pair: TablePair;
  readonly deletes: readonly Row[];
  readonly updates: readonly MappedRow[];
  readonly inserts: readonly MappedRow[];
  /** Only the target knows which of them it has. */
  readonly upserts: readonly MappedRow[];
};
export type Rekey = Extract<Write, { kind: 'rekey' }>;

type Ends = {
  readonly deletes: Map<string, Row>;
  readonly rows: Map<string, { readonly row: MappedRow; readonly isNew: boolean | undefined }>;
};

/**
 * The same end as the writes one after the other, in fewer steps. Between them a unique value may be in two rows for a moment that
 * never had it together in the source: whoever meets that error does the writes one by one instead. A change of a key stays where it is.
 */
export function compact(writes: readonly RowWrite[]): readonly (Bulk | Rekey)[] {
  const steps: (Bulk | Rekey)[] = [];
  let open = new Map<TablePair, Ends>();
  const close = () => {
    for (const [pair, { deletes, rows }] of open) {
      const all = [...rows.values()];
      const of = (isNew: boolean | undefined) =>
        all.filter((each) => each.isNew === isNew).map(({ row }) => row);
      steps.push({
        kind: 'bulk',
        pair,
        deletes: [...deletes.values()],
        updates: of(false),
        inserts: of(true),
        upserts: of(undefined),
      });
    }
    open = new Map();
  };
  for (const write of writes) {
    if (write.kind === 'rekey') {
      close();
      steps.push(write);
      continue;
    }
    const ends: Ends = open.get(write.pair) ?? { deletes: new Map(), rows: new Map() };
    open.set(write.pair, ends);
    const key = keyText(write.kind === 'delete' ? write.key : write.row.key);
    const before = ends.rows.get(key);
    // A row that was deleted and came again is deleted all the same: columns of the target's own belong to the old one.
    if (write.kind === 'delete') {
      ends.rows.delete(key);
      ends.deletes.set(key, write.key);
    } else
      ends.rows.set(key, {
        row: write.row,
        isNew: before ? before.isNew : ends.deletes.has(key) || write.isNew,
      });
  }
  close();
  return steps;
}
