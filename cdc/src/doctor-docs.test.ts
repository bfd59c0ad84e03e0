import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MILDER_CODES, severityOf } from './severity.js';

const read = (file: string) => readFileSync(resolve(import.meta.dirname, file), 'utf8');
/** Told by what is tried, in the words of the error that it meets. */
const BY_TRYING = [
  'CONNECT_UNREACHABLE',
  'ECHO_UNTOLD',
  'FUNCTION_NOT_LOADED',
  'KEYS_COLLIDE',
  'LAW_BROKEN',
  'VALUE_UNMAPPED',
];

const inSource = new Set(
  [...globSync('check*.ts', { cwd: import.meta.dirname }), 'sides.ts', 'hidden.ts', 'row-doubts.ts']
    .filter((file) => !file.includes('.test.'))
    .flatMap((file) => [...read(join('.', file)).matchAll(/(?:code: |(?:complain|doubt)\(\s*)'([A-Z_]+)'/g)])
    .map(([, code]) => code),
);
const rows = [...read('../../docs/doctor.md').matchAll(/^\| `([A-Z_]+)` \| (\w+) \|/gm)].map(
  ([, code = '', severity]) => ({ code, severity }),
);

describe('docs/doctor.md', () => {
  it('has one row for every code of the preflight, and no other', () => {
    expect(inSource.size).toBeGreaterThan(30);
    expect(rows.map(({ code }) => code).toSorted()).toEqual([...inSource, ...BY_TRYING].toSorted());
  });

  it('says of each how much it matters', () => {
    for (const { code, severity } of rows) expect([code, severity]).toEqual([code, severityOf(code)]);
    expect(MILDER_CODES.filter((code) => !inSource.has(code) && !BY_TRYING.includes(code))).toEqual([]);
  });
});
