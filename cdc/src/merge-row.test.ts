import { describe, expect, it } from '@jest/globals';
import { type Row, tableMappingSchema } from '@strangler/contracts';
import { compileMapping, type MappedRow } from './map.js';
import { type Meeting, mergeRow, type Unseen } from './merge-row.js';
import { type MergeRules, mergeRulesOf } from './merge-rules.js';

const rulesOf = (conflicts: object): MergeRules => {
  const mapping = tableMappingSchema.parse({
    from: 'product',
    to: 'item',
    key: { id: 'id' },
    columns: { title: 'name', cost: 'price', stock: 'quantity', version: 'version' },
    writers: 'both',
    conflicts,
  });
  const target = { database: 'shop', name: 'item', columns: [], primaryKey: ['id'] };
  return mergeRulesOf(mapping, compileMapping(mapping), target) as MergeRules;
};
const row = (title: string, stock = '1', version = '1', cost = '9'): Row => ({ title, stock, version, cost });
const mapped = (columns: Row): MappedRow => ({ key: { id: '1' }, columns, children: [] });
const NONE: Unseen = { isRow: false, added: {}, owned: {} };
const ROW: Unseen = { ...NONE, isRow: true };

type Met = { before?: Row | null; after: Row | null; current?: Row; unseen?: Unseen } & Partial<
  Pick<Meeting, 'isForced' | 'isAnswer'>
>;
const meet = (conflicts: object, { before, after, current, unseen = NONE, ...more }: Met) =>
  mergeRow({
    rules: rulesOf(conflicts),
    before: before && mapped(before),
    after: after && mapped(after),
    current,
    unseen,
    ...more,
  });

describe('a change that meets a row', () => {
  it('that nobody else has written is written', () => {
    const change = { before: row('a'), after: row('b'), current: row('a') };
    for (const authority of ['source', 'target'])
      expect(meet({ authority }, change)).toMatchObject({ write: 'update', values: row('b') });
  });

  it.each([
    ['source', 'update'],
    ['target', 'none'],
  ])('that somebody has written goes by the authority of the %s', (authority, write) => {
    const met = meet({ authority }, { before: row('a'), after: row('b'), current: row('c'), unseen: ROW });
    expect(met).toMatchObject({ write, conflict: { policy: 'authority', winner: authority } });
  });

  it('is a conflict also when the row looks as it did before', () => {
    const met = meet(
      { authority: 'target' },
      { before: row('a'), after: row('b'), current: row('a'), unseen: ROW },
    );
    expect(met).toMatchObject({ write: 'none', conflict: { winner: 'target' } });
  });

  it('and finds it as it should be does nothing', () => {
    const met = meet({}, { before: row('a'), after: row('b'), current: row('b'), unseen: ROW });
    expect(met).toMatchObject({ write: 'none' });
    expect(met.conflict).toBeUndefined();
  });

  it('does not bring back a row that was removed, unless the source has the authority', () => {
    const change = { before: row('a'), after: row('b'), unseen: ROW };
    expect(meet({ authority: 'target' }, change).write).toBe('none');
    expect(meet({ authority: 'source' }, change).write).toBe('insert');
  });

  it('of two versions takes the higher one, and asks the authority between two equal ones', () => {
    const version = (after: string, current: string, authority = 'source') =>
      meet(
        { policy: 'version', version: 'version', authority },
        { before: row('a'), after: row('b', '1', after), current: row('c', '1', current), unseen: ROW },
      ).conflict;
    expect(version('3', '2', 'target')).toMatchObject({ winner: 'source' });
    expect(version('2', '3')).toMatchObject({ winner: 'target' });
    expect(version('10', '9', 'target')).toMatchObject({ winner: 'source' });
    expect(version('2', '2')).toMatchObject({ winner: 'source' });
    expect(version('2', '2', 'target')).toMatchObject({ winner: 'target' });
  });

  it('removes the very version it knew, and is refused by a higher one', () => {
    const gone = (current: string) =>
      meet(
        { policy: 'version', version: 'version', authority: 'target' },
        { before: row('a', '1', '5'), after: null, current: row('c', '1', current), unseen: ROW },
      ).write;
    expect([gone('4'), gone('5'), gone('6')]).toEqual(['delete', 'delete', 'none']);
  });

  it('adds what was added, whoever else has added', () => {
    const additive = { columns: { stock: 'additive' }, authority: 'target' };
    const met = meet(additive, {
      before: row('a', '5'),
      after: row('a', '7'),
      current: row('c', '9'),
      unseen: ROW,
    });
    expect(met).toMatchObject({ write: 'update', values: {}, sums: { stock: '(7)-(5)' } });
    expect(met.conflict).toBeUndefined();
    const taken = meet(
      { ...additive, authority: 'source' },
      {
        before: row('a', '5'),
        after: row('b', '7'),
        current: row('c', '2'),
        unseen: { ...ROW, added: { stock: ['(2)-(0)'] } },
      },
    );
    // The row was removed here and made again with 2; the source keeps its own and gets the 2.
    expect(taken).toMatchObject({ values: { title: 'b' }, sums: { stock: '(7)+(2)-(0)-(2)' } });
    const again = meet(additive, {
      before: null,
      after: row('a', '5'),
      unseen: { ...NONE, added: { stock: ['(8)-(5)', '(7)-(8)'] } },
    });
    expect(again).toMatchObject({ write: 'insert', sums: { stock: '(5)+(8)-(5)+(7)-(8)' } });
  });

  it('changes what its side owns, and is told where it has changed more', () => {
    const columns = { title: 'source', cost: 'target' };
    const current = row('a', '1', '1', '2');
    expect(meet({ columns }, { before: row('a'), after: row('b'), current })).toMatchObject({
      values: { title: 'b' },
      isTrespass: false,
    });
    const trespass = meet({ columns }, { before: row('a'), after: row('a', '1', '1', '7'), current });
    expect(trespass).toMatchObject({ write: 'none', isTrespass: true, conflict: { policy: 'column-owner' } });
  });

  it('as an answer puts right what the source owns, and nothing else', () => {
    const met = meet(
      { columns: { title: 'source' } },
      { after: row('right', '8', '8'), current: row('wrong', '1', '1'), isAnswer: true },
    );
    expect(met).toMatchObject({ write: 'update', values: { title: 'right' }, sums: {} });
    expect(Object.keys(met.values)).toEqual(['title']);
  });

  it('that has to be decided by somebody writes nothing', () => {
    const met = meet(
      { policy: 'manual' },
      { before: row('a'), after: row('b'), current: row('c'), unseen: ROW },
    );
    expect(met).toMatchObject({ write: 'none', conflict: { policy: 'manual', winner: 'nobody' } });
  });

  it('that was read and not logged leaves alone what is on its way to the source, unless somebody has decided', () => {
    const read = { after: row('b'), current: row('c'), unseen: ROW };
    expect(meet({}, read)).toMatchObject({ write: 'none' });
    expect(meet({}, { ...read, isForced: true })).toMatchObject({ write: 'update', values: row('b') });
  });
});
