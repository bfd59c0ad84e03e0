import type { ChangeEvent, Row, SourceTransaction } from '@strangler/contracts';

const CHANGES_A_TRANSACTION = 10;

/** Ten columns of the usual kinds. */
export const TABLE_COLUMNS = `id BIGINT PRIMARY KEY, sku VARCHAR(40), name VARCHAR(100), price DECIMAL(12,2), quantity INT, state VARCHAR(20),
  added DATETIME(6), note TEXT, owner_id BIGINT, active TINYINT`;

const row = (id: number, version: number): Row => ({
  id: String(id),
  sku: `sku-${id}`,
  name: `The name of ${id}, version ${version}`,
  price: `${id % 1000}.${10 + (version % 90)}`,
  quantity: String(version % 500),
  state: version % 2 === 0 ? 'available' : 'sold out',
  added: '2026-01-02 03:04:05.678901',
  note: `Some words on ${id} that are as long as such words are, written for version ${version}`,
  owner_id: String(id * 7),
  active: '1',
});

/**
 * Transactions as a source would yield them, made when they are asked for: `fill` inserts, then `changes` of which 70 % are updates, 20 % inserts
 * and 10 % deletes, over all rows that are there.
 */
export function* writeLoad(database: string, fill: number, changes: number): Generator<SourceTransaction> {
  let number = 0;
  let state = 7;
  const random = (below: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) % below;
  const versions = new Map<number, number>();
  let next = 1;
  let oldest = 1;
  const change = (operation: ChangeEvent['operation'], id: number): ChangeEvent => {
    const before = versions.get(id);
    const after = (before ?? 0) + 1;
    if (operation === 'delete') versions.delete(id);
    else versions.set(id, after);
    return {
      operation,
      database,
      table: 'product',
      before: operation === 'insert' ? null : row(id, before ?? 0),
      after: operation === 'delete' ? null : row(id, after),
    };
  };
  const one = (isFilling: boolean): ChangeEvent => {
    const dice = isFilling ? 80 : random(100);
    if (dice >= 90 && versions.size > 1) {
      while (!versions.has(oldest)) oldest++;
      return change('delete', oldest++);
    }
    if (dice >= 70 || versions.size === 0) return change('insert', next++);
    let id = oldest + random(next - oldest);
    while (!versions.has(id)) id = id + 1 < next ? id + 1 : oldest;
    return change('update', id);
  };
  for (let done = 0; done < fill + changes; done += CHANGES_A_TRANSACTION) {
    const text = String(++number);
    yield {
      id: `bench-${text}`,
      next: { text },
      committedAt: 0,
      changes: Array.from({ length: CHANGES_A_TRANSACTION }, () => one(done < fill)),
    };
  }
}
