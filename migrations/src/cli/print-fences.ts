import { count } from '../report/words.js';
import type { FencesChanged, FencesSeen, PlacedFences } from './fence.js';
import { columns } from './terminal.js';

const costText = ({ cost }: PlacedFences): string =>
  cost === null
    ? ''
    : `  a transaction with one row took ${cost.without.toFixed(2)} ms, with a fence ${cost.with.toFixed(2)} ms\n`;

/** What was run, or with a dry run the SQL that would be. */
export const changedFencesText = (result: FencesChanged): string =>
  result.places
    .map((place) =>
      result.dryRun
        ? `-- ${place.database} (${place.side})${place.statements.length === 0 ? ': nothing to do' : ''}\n${place.statements
            .map((statement) => `${statement};\n`)
            .join('')}`
        : `${result.migration}: ${count(place.statements.length)} ${place.statements.length === 1 ? 'statement' : 'statements'} in "${place.database}" (${place.side}) for ${place.tables.join(', ')}\n${costText(place)}`,
    )
    .join('');

/** Triggers see rows: what empties a table as a whole passes by them. */
const WHOLE_TABLES =
  'TRUNCATE and DROP pass by a fence: REVOKE DROP from the accounts of the applications while a cutover may come.\n';

export const fencesText = ({ migration, phase, open, fences }: FencesSeen): string =>
  [
    `${migration}: phase ${phase}, ${open} writes\n`,
    columns([
      ['database', 'table', 'fence', 'epoch'],
      ...fences.map(({ database, table, state }) => [
        database,
        table,
        state === null ? 'none' : state.closed ? 'closed' : 'open',
        state === null ? '-' : String(state.epoch),
      ]),
    ]),
    ...fences.flatMap(({ database, table, defects, gaps }) => [
      ...defects.map((sentence) => `DEFECT ${database}.${table} ${sentence}\n`),
      ...gaps.map((sentence) => `gap    ${database}.${table}: ${sentence}\n`),
    ]),
    fences.some(({ defects }) => defects.length > 0)
      ? `put up what is missing with "strangler fence install ${migration}"\n`
      : '',
    WHOLE_TABLES,
  ].join('');
