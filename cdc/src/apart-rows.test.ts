import { describe, expect, it } from '@jest/globals';
import { apartByBytes } from './apart-rows.js';
import { cutRows } from './raw-rows.js';
import { seeded } from './testing/databases.js';
import { wireOf } from './testing/row-packets.js';

type Rows = readonly (readonly (string | null)[])[];

const cut = (rows: Rows) =>
  cutRows({ wire: wireOf(rows, 2), count: rows.length, isLong: false, giveBack() {} });
const apart = (rows: Rows, found: Rows) => apartByBytes(cut(rows), cut(found), 1);
const rowsUpTo = (count: number): (string | null)[][] =>
  Array.from({ length: count }, (_, index) => [String(index), `value ${index}`]);

/** What a slow but plain comparison says. */
function differing(rows: Rows, found: Rows): readonly string[] {
  const there = new Map(found.map((row) => [row[0], JSON.stringify(row)]));
  const here = new Map(rows.map((row) => [row[0], JSON.stringify(row)]));
  return [...new Set([...there.keys(), ...here.keys()])]
    .filter((key) => there.get(key) !== here.get(key))
    .map(String)
    .toSorted();
}

describe('rows that are compared by their bytes', () => {
  it('are none apart when all are the same, and one where one is changed', () => {
    const rows = rowsUpTo(5_000);
    expect(apart(rows, rows)).toEqual({ equal: 5_000, sources: [], founds: [] });
    const changed = rows.with(3_333, ['3333', 'Value 3333']);
    expect(apart(rows, changed)).toEqual({ equal: 4_999, sources: [3_333], founds: [3_333] });
  });

  it('are found wherever one differs in anything, is missing or too many', () => {
    const nasty = ['', null, ' ', 'a', 'A', 'a ', 'ä', 'a\u0308', '\u0000', '1', '1.0', 'x'.repeat(300)];
    for (let seed = 1; seed <= 300; seed++) {
      const next = seeded(seed);
      const random = (below: number) => Math.floor(next() * below);
      const rows = rowsUpTo(random(3_000)).map(([key = null]) => [key, nasty[random(nasty.length)] ?? null]);
      const found: (string | null)[][] = [];
      const odds = 2 + random(400);
      for (const row of rows) {
        const kind = random(odds);
        if (kind === 0) found.push([row[0] ?? null, nasty[random(nasty.length)] ?? null]);
        else if (kind === 1) found.push(row, [`${row[0]}x`, 'extra']);
        else if (kind > 2) found.push(row);
      }
      const { equal, sources, founds } = apart(rows, found);
      const keys = new Set([...sources.map((at) => rows[at]?.[0]), ...founds.map((at) => found[at]?.[0])]);
      expect({ seed, missed: differing(rows, found).filter((key) => !keys.has(key)) }).toEqual({
        seed,
        missed: [],
      });
      expect({ seed, rows: equal + sources.length, found: equal + founds.length }).toEqual({
        seed,
        rows: rows.length,
        found: found.length,
      });
    }
  });
});
