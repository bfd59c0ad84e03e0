import { describe, expect, it } from '@jest/globals';
import { compact, type RowWrite } from './compact.js';
import { keyText, type MappedRow } from './map.js';
import type { TablePair } from './table-pair.js';
import { seeded } from './testing/databases.js';

// Only its identity counts here.
const pairs = [{}, {}] as unknown as readonly [TablePair, TablePair];
type State = Map<TablePair, Map<string, string>>;

const row = (id: number, value: string): MappedRow => ({
  key: { id: String(id) },
  columns: { value },
  children: [],
});
const table = (state: State, pair: TablePair) => state.get(pair) ?? state.set(pair, new Map()).get(pair)!;
const put = (state: State, pair: TablePair, { key, columns }: MappedRow) =>
  table(state, pair).set(keyText(key), String(columns['value']));

function oneByOne(state: State, writes: readonly RowWrite[]): State {
  for (const write of writes) {
    if (write.kind === 'delete') table(state, write.pair).delete(keyText(write.key));
    if (write.kind === 'rekey') table(state, write.pair).delete(keyText(write.from));
    if (write.kind !== 'delete') put(state, write.pair, write.row);
  }
  return state;
}

function inBulk(state: State, writes: readonly RowWrite[]): State {
  for (const step of compact(writes))
    if (step.kind === 'rekey') oneByOne(state, [step]);
    else {
      for (const key of step.deletes) table(state, step.pair).delete(keyText(key));
      const has = ({ key }: MappedRow) => table(state, step.pair).has(keyText(key));
      if (!step.updates.every(has) || step.inserts.some(has))
        throw new Error('a row is not where it was said to be');
      for (const each of [...step.updates, ...step.inserts, ...step.upserts]) put(state, step.pair, each);
    }
  return state;
}

describe('compacting writes', () => {
  it('comes to the same end as one by one, for any sequence', () => {
    const random = seeded(3);
    for (let round = 0; round < 500; round++) {
      const start: State = new Map(
        pairs.map((pair) => [
          pair,
          new Map([0, 1, 2, 3].map((id) => [keyText({ id: String(id) }), 'start'])),
        ]),
      );
      const copy: State = new Map([...start].map(([pair, rows]) => [pair, new Map(rows)]));
      // Whether a row is there when its write comes is known to some writes, as it is to the log.
      const there = new Map([...start].map(([pair, rows]) => [pair, new Set(rows.keys())]));
      const writes = Array.from({ length: Math.floor(random() * 12) }, (_, index): RowWrite => {
        const pair = random() < 0.5 ? pairs[0] : pairs[1];
        const [id, other] = [Math.floor(random() * 6), Math.floor(random() * 6)];
        const keys = there.get(pair)!;
        const [key, from] = [keyText({ id: String(id) }), keyText({ id: String(other) })];
        if (random() < 0.3) {
          keys.delete(key);
          return { kind: 'delete', pair, key: { id: String(id) } };
        }
        if (random() < 0.2) {
          keys.delete(from);
          keys.add(key);
          return { kind: 'rekey', pair, from: { id: String(other) }, row: row(id, `${index}`) };
        }
        const isNew = !keys.has(key);
        keys.add(key);
        return { kind: 'upsert', pair, row: row(id, `${index}`), ...(random() < 0.3 ? {} : { isNew }) };
      });
      expect(inBulk(copy, writes)).toEqual(oneByOne(start, writes));
    }
  });

  it('a row that was deleted and came again is deleted first, so that nothing of the old one stays', () => {
    const pair = pairs[0];
    const steps = compact([
      { kind: 'delete', pair, key: { id: '1' } },
      { kind: 'upsert', pair, row: row(1, 'new') },
    ]);
    expect(steps).toEqual([
      { kind: 'bulk', pair, deletes: [{ id: '1' }], updates: [], inserts: [row(1, 'new')], upserts: [] },
    ]);
  });
});
