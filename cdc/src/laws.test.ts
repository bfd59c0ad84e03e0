import { describe, expect, it } from '@jest/globals';
import { type Row, tableMappingSchema } from '@strangler/contracts';
import * as fc from 'fast-check';
import { canonical } from './canonical.js';
import { checkLaws } from './laws.js';
import { compileMapping } from './map.js';
import { reverseOf } from './reverse.js';
import { columnOf } from './table.js';
import { rowsOf, RULES, tableOf, tablesOf } from './testing/lens-columns.js';

const someRules = fc.subarray([...RULES], { minLength: 1 });

describe('the laws of a mapping', () => {
  it('hold for whatever rules stand side by side, on rows that they keep', () => {
    fc.assert(
      fc.property(
        someRules.chain((cases) => fc.tuple(fc.constant(cases), rowsOf(cases, 'kept', 'id'))),
        ([cases, rows]) => {
          const { mapping, source, target } = tablesOf(cases);
          expect(checkLaws(mapping, rows, { source, target })).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(RULES.map((each) => [each.name, each] as const))(
    'hold on the way back for "%s": a row of the target is refused, or is what it was once it has come round',
    (_, each) => {
      const { mapping, source, target } = tablesOf([each]);
      const forward = compileMapping(mapping, { source, target });
      const backward = compileMapping(reverseOf(mapping), { source: target, target: source });
      let carried = 0;
      fc.assert(
        fc.property(rowsOf([each], 'there', 'key'), (rows) => {
          for (const row of rows) {
            const back = backward.map(row);
            if (!back.ok) continue;
            carried++;
            const there = forward.map({ ...back.row.key, ...back.row.columns });
            if (!there.ok) throw new Error(`does not go there again: ${there.column} ${there.reason}`);
            for (const [name, value] of Object.entries({ ...there.row.key, ...there.row.columns })) {
              const column = columnOf(target, name);
              if (!column) throw new Error(name);
              expect([name, canonical(value, column)]).toEqual([name, canonical(row[name] ?? null, column)]);
            }
          }
        }),
        { numRuns: 200 },
      );
      expect(carried).toBeGreaterThan(20);
    },
  );

  const lossy = RULES.filter((each) => each.lossy !== undefined);
  it.each(lossy.map((each) => [each.name, each] as const))(
    'are broken by values that "%s" does not keep, with the column; not once it is declared lost',
    (_, each) => {
      const { mapping, source, target } = tablesOf([each]);
      const names = Object.keys(each.source).map((name) => `${name}0`);
      fc.assert(
        fc.property(rowsOf([each], 'lossy', 'id'), (rows) => {
          const failures = checkLaws(mapping, rows, { source, target });
          expect(failures.length).toBeGreaterThan(0);
          for (const failure of failures) {
            expect(failure).toMatchObject({ law: 'lost', column: expect.stringMatching(/^[ab]0$/) });
            expect(failure.reason).toContain('which comes back as');
            expect(failure.remedy).toContain(`name "${failure.column}" under "lost"`);
          }
          expect(checkLaws({ ...mapping, lost: names }, rows, { source, target })).toEqual([]);
        }),
        { numRuns: 100 },
      );
    },
  );
});

describe('a broken law', () => {
  const told = (
    columns: object,
    more: object,
    sources: Record<string, string>,
    targets: Record<string, string>,
    rows: readonly Row[],
  ) => {
    const mapping = tableMappingSchema.parse({
      from: 'legacy',
      to: 'service',
      key: { id: 'id' },
      columns,
      ...more,
    });
    const [source, target] = [
      tableOf('legacy', { id: 'int', ...sources }),
      tableOf('service', { id: 'int', ...targets }),
    ];
    return checkLaws(mapping, rows, { source, target }).map(
      ({ law, column, key, reason, rows: count }) => `${law} ${column} of ${key} (${count}): ${reason}`,
    );
  };

  it('is told once for a column, with the first row and how many there are', () => {
    const rows = ['007', '7', '08', 'x'].map((code, index) => ({ id: String(index), code }));
    expect(
      told({ code: { type: 'code', as: 'integer' } }, {}, { code: 'varchar(9)' }, { code: 'int' }, rows),
    ).toEqual([
      'lost code of 0 (2): holds "007", which comes back as "7"',
      'refused code of 3 (1): holds "x", which is no whole number',
    ]);
  });

  it('is one of a list that has blanks, nothing, empty or doubled elements', () => {
    const split = (position: object) => ({
      split: [{ to: 'tag', column: 'tags', key: { id: 'id' }, item: 'tag', ...position }],
    });
    const of = (position: object, tags: string | null) =>
      told({}, split(position), { tags: 'text' }, {}, [{ id: '1', tags }]);
    expect(of({ position: 'place' }, 'b,a,b')).toEqual([]);
    expect(of({}, 'a,b')).toEqual([]);
    expect(of({}, null)).toEqual([]);
    expect(of({ position: 'place' }, 'a, b')).toEqual([
      'lost tags of 1 (1): holds "a, b", which comes back as "a,b"',
    ]);
    expect(of({ position: 'place' }, 'a,,b')).toEqual([
      'lost tags of 1 (1): holds "a,,b", which comes back as "a,b"',
    ]);
    expect(of({ position: 'place' }, '')).toEqual(['lost tags of 1 (1): holds "", which comes back as NULL']);
    expect(of({}, 'b,a')).toEqual(['lost tags of 1 (1): holds "b,a", which comes back as "a,b"']);
    expect(of({}, 'a,a')).toEqual(['lost tags of 1 (1): holds "a,a", which comes back as "a"']);
  });

  it('is a local time that never was, and one that is too exact for its column', () => {
    const columns = { at: { utc: 'at', zone: 'Europe/Berlin' } };
    const of = (type: string, at: string) =>
      told(columns, {}, { at: 'datetime(3)' }, { at: type }, [{ id: '1', at }]);
    expect(of('datetime', '2024-03-31 02:30:00.000')).toEqual([
      'refused at of 1 (1): holds "2024-03-31 02:30:00.000", which was skipped in "Europe/Berlin" when clocks were set forward: correct the row',
    ]);
    expect(of('datetime(3)', '2024-10-27 02:30:00.125')).toEqual([]);
    expect(of('datetime', '2024-07-01 02:30:00.125')).toEqual([
      'lost at of 1 (1): holds "2024-07-01 02:30:00.125", which comes back as "2024-07-01 02:30:00.000"',
    ]);
  });

  it('is a key that two rows have in the target', () => {
    const mapping = tableMappingSchema.parse({ from: 'legacy', to: 'service', key: { code: 'code' } });
    const source = tableOf('legacy', { code: 'varchar(9)' }, ['code']);
    const target = tableOf('service', { code: 'int' }, ['code']);
    const failures = checkLaws(mapping, [{ code: '7' }, { code: '07' }], { source, target });
    expect(failures.map(({ law, reason }) => `${law}: ${reason}`)).toEqual([
      'key: has a key in the target that row "7" has as well',
      'lost: holds "07", which comes back as "7"',
    ]);
    const letters = (collation: string) => {
      const table = tableOf('t', { code: 'varchar(9)' }, ['code']);
      return { ...table, columns: table.columns.map((column) => ({ ...column, collation })) };
    };
    const folding = { source: letters('utf8mb4_bin'), target: letters('utf8mb4_unicode_ci') };
    expect(checkLaws(mapping, [{ code: 'Ä' }, { code: 'a' }], folding)).toMatchObject([
      { law: 'key', key: 'a' },
    ]);
    expect(
      checkLaws(mapping, [{ code: 'Ä' }, { code: 'a' }], { source: folding.source, target: folding.source }),
    ).toEqual([]);
  });

  it('is none of a row that the mapping does not take, nor of columns that one side owns', () => {
    const rows = [
      { id: '1', kind: 'b', name: 'x', rank: '1' },
      { id: '2', kind: 'a', name: '007', rank: '5' },
    ];
    const columns = { name: { type: 'name', as: 'integer' }, rank: 'rank' };
    const of = (more: object) =>
      told(columns, more, { kind: 'char(1)', name: 'text', rank: 'int' }, { name: 'int', rank: 'int' }, rows);
    expect(of({ where: { kind: 'a' }, owned: { source: ['name'] } })).toEqual([]);
    expect(of({ where: { kind: 'c' } })).toEqual([]);
    expect(of({ where: { kind: 'a' }, owned: { target: ['name'] } })).toEqual([]);
  });
});
