import { createHash } from 'node:crypto';
import type { MigrationData, TableMapping } from '@strangler/contracts';
import { shadowsOf } from './shadow-mappings.js';

const LONGEST = 64;
const short = (name: string): string =>
  name.length <= LONGEST
    ? name
    : `${name.slice(0, LONGEST - 9)}#${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;

/** The source tables that a mapping reads, its own first. */
export const sourceTablesOf = (mapping: TableMapping): readonly string[] => [
  ...new Set([mapping.from, ...shadowsOf(mapping).map(({ mapping: { from } }) => from)]),
];

/**
 * The name under which the copy of a mapping is kept and told: that of its source table, and with the target's behind it where several mappings read the table. It does not hang on the order in the
 * plan, so that progress is found again.
 */
export const nameOf = ({ tables }: Pick<MigrationData, 'tables'>, { from, to }: TableMapping): string =>
  tables.filter((each) => each.from === from).length === 1 ? from : short(`${from}:${to}`);

/** As `nameOf`, of a shadow of a mapping. */
export const shadowNameOf = (from: string, label: string): string => short(`${from}:${label}`);

/** All names of a migration, in the order in which tables are copied. */
export const namesOf = (data: Pick<MigrationData, 'tables'>): readonly string[] =>
  data.tables.flatMap((mapping) => [
    ...shadowsOf(mapping).map(({ mapping: { from }, label }) => shadowNameOf(from, label)),
    nameOf(data, mapping),
  ]);
