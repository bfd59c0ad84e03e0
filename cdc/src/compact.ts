import type { Row } from '@strangler/contracts';
import { keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';

/** One row of a target table that has to change. */
export type Write =
  | { readonly kind: 'upsert'; readonly pair: TablePair; readonly row: MappedRow }
  | { readonly kind: 'rekey'; readonly pair: TablePair; readonly from: Row; readonly row: MappedRow }
  | { readonly kind: 'delete'; readonly pair: TablePair; readonly key: Row };

/** Many writes to one table of which only the end counts: first `deletes`, then `upserts`. Each key is in either list at most once. */
export type Bulk = {
  readonly kind: 'bulk';
  readonly pair: TablePair;
  readonly deletes: readonly Row[];
  readonly upserts: readonly MappedRow[];
};
export type Rekey = Extract<Write, { kind: 'rekey' }>;

/**
 * The same end as the writes one after the other, in fewer steps. Between them a unique value may be in two rows for a moment that
 * never had it together in the source: whoever meets that error does the writes one by one instead. A change of a key stays where it is.
 */
export function compact(writes: readonly Write[]): readonly (Bulk | Rekey)[] {
  const steps: (Bulk | Rekey)[] = [];
  let open = new Map<
    TablePair,
    { readonly deletes: Map<string, Row>; readonly upserts: Map<string, MappedRow> }
  >();
  const close = () => {
    for (const [pair, { deletes, upserts }] of open)
      steps.push({ kind: 'bulk', pair, deletes: [...deletes.values()], upserts: [...upserts.values()] });
    open = new Map();
  };
  for (const write of writes) {
    if (write.kind === 'rekey') {
      close();
      steps.push(write);
      continue;
    }
    const bulk = open.get(write.pair) ?? { deletes: new Map(), upserts: new Map() };
    open.set(write.pair, bulk);
    const key = keyText(write.kind === 'delete' ? write.key : write.row.key);
    bulk.upserts.delete(key);
    // A row that was deleted and came again is deleted all the same: columns of the target's own belong to the old one.
    if (write.kind === 'delete') bulk.deletes.set(key, write.key);
    else bulk.upserts.set(key, write.row);
  }
  close();
  return steps;
}
