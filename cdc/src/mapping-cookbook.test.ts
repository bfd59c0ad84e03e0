import { readFileSync } from 'node:fs';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePlan, type Row, type TableMapping } from '@strangler/contracts';
import { parse } from 'yaml';
import { checkLaws } from './laws.js';
import { loadFunctions } from './load-functions.js';
import { compileMapping, type Mapped } from './map.js';
import { reverseOf } from './reverse.js';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/mappings.md'), 'utf8');
const COLUMN = /^\| (.*?) ?\| (.*?) ?\| (.*?) ?\|$/;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strangler-cookbook-'));
  for (const [, file = '', text = ''] of DOCUMENT.matchAll(/```js\n\/\/ (\S+)\n(.*?)```/gs)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The first mapping of an example, through a whole plan, so that everything in it is checked. */
function mappingOf(text: string): TableMapping {
  const table = text
    .trimEnd()
    .split('\n')
    .map((line, index) => {
      if (text.startsWith('- ')) return `        ${line}`;
      return `${index === 0 ? '        - ' : '          '}${line}`;
    })
    .join('\n');
  const loaded = parsePlan(
    `version: 1
proxy: { listen: 8080, secret: !env SECRET }
control: { ledger: !env CATALOG }
flags: { file: flags.json }
databases: { shop: !env SHOP, catalog: !env CATALOG }
upstreams: { legacy: http://127.0.0.1:3000, catalog: http://127.0.0.1:3001 }
migrations:
  catalog:
    owner: team
    upstream: catalog
    routes: ['GET /items']
    data:
      from: shop
      to: catalog
      tables:
${table}
`,
    join(folder, 'plan.yaml'),
    {
      SHOP: 'mysql://u:p@a:3306/shop',
      CATALOG: 'mysql://u:p@b:3306/catalog',
      SECRET: 'a-secret-that-is-long-enough',
    },
  );
  const mapping = loaded.ok ? loaded.plan.migrations['catalog']?.data?.tables[0] : undefined;
  if (!mapping) throw new Error(JSON.stringify(loaded));
  return mapping;
}

/** A row of an example: every value is a text, and NULL is NULL. */
const rowOf = (cell: string): Row =>
  Object.fromEntries(
    Object.entries(parse(cell, { schema: 'failsafe' }) as Record<string, string>).map(([name, value]) => [
      name,
      value === 'NULL' ? null : value,
    ]),
  );
const flat = (mapped: Mapped): Row | string =>
  mapped.ok ? { ...mapped.row.key, ...mapped.row.columns } : `"${mapped.column}" ${mapped.reason}`;
const isRow = (cell: string): boolean => cell.startsWith('{');

const EXAMPLES = DOCUMENT.split(/^## /m)
  .slice(1)
  .map((section) => ({
    title: section.split('\n')[0] ?? '',
    yaml: /```yaml\n(.*?)```/s.exec(section)?.[1] ?? '',
    rows: section
      .split('\n')
      .flatMap((line) => {
        const [, ...cells] = COLUMN.exec(line) ?? [];
        return cells.length === 3 ? [cells.map((cell) => cell.replaceAll('`', '').trim())] : [];
      })
      .slice(1),
  }));

describe('the cookbook of mappings', () => {
  it('has examples with rows', () => {
    expect(EXAMPLES.length).toBeGreaterThan(8);
    expect(EXAMPLES.flatMap(({ rows }) => rows).length).toBeGreaterThan(25);
  });

  it.each(EXAMPLES.map((example) => [example.title, example] as const))(
    'is right about "%s"',
    async (_, { yaml, rows }) => {
      const mapping = mappingOf(yaml);
      const functions = await loadFunctions(mapping);
      const there = compileMapping(mapping, { functions });
      const back = compileMapping(reverseOf(mapping), { functions });
      for (const [source = '', target = '', again = ''] of rows)
        expect(cameOf({ source, target, again })).toEqual({
          target: target === '' || source === '' ? '' : held(target),
          again: again === 'as it was' || again === '' ? again : held(again),
        });

      /** What a cell says, as what has come of a row is told. */
      function held(cell: string): Row | string {
        return isRow(cell) ? rowOf(cell) : cell;
      }

      function cameOf({ source, target, again }: Record<'source' | 'target' | 'again', string>) {
        const row = source === '' ? undefined : rowOf(source);
        if (row && !there.takes(row)) return { target: 'not taken', again: '' };
        const mapped = row === undefined ? '' : saidIn(target, flat(there.map(row)));
        if (again === '') return { target: mapped, again };
        const came = flat(back.map(rowOf(target)));
        if (!row) return { target: mapped, again: saidIn(again, came) };
        const broken = checkLaws(mapping, [row], { functions }).length > 0;
        const isAsItWas = back.writes.every((name) => typeof came !== 'string' && came[name] === row[name]);
        const isLawful = !broken || (mapping.lost ?? []).length === 0;
        return {
          target: mapped,
          again: isAsItWas && !broken ? 'as it was' : isLawful ? saidIn(again, came) : 'broken',
        };
      }
    },
  );
});

/** A sentence counts as told where it is part of the one that came. */
const saidIn = (cell: string, came: Row | string): Row | string =>
  typeof came === 'string' && came.includes(cell) ? cell : came;
