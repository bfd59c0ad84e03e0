import { conflictsOf } from './conflicts-schema.js';
import type { TableMapping } from './mapping-schema.js';
import { parts, type Parts } from './plan-parts.js';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string, remedy: string) => void;

/** Whether an unchecked `sync` reads a database through Kafka. */
export const isByKafkaIn = (sync: Parts, database: string): boolean =>
  parts(parts(sync['sources'])[database] ?? sync['source'])['kind'] === 'kafka';

export type Around = {
  /** Path of the table in the plan. */
  readonly at: Path;
  readonly truncate: unknown;
  /** Whether the changes of its source come through Kafka. */
  readonly isByKafka: boolean;
};

/** What a table says of its writers, and whether the rest of the plan lets it. */
export function checkConflicts(
  table: TableMapping,
  { at, truncate, isByKafka }: Around,
  complain: Complain,
): void {
  if (table.writers !== 'both') {
    if (table.conflicts !== undefined)
      complain([...at, 'conflicts'], 'need two writers', 'add "writers: both", or leave them out');
    return;
  }
  const { policy, version, columns } = conflictsOf(table.conflicts);
  if (table.split.length > 0)
    complain(
      [...at, 'writers'],
      'cannot be "both" for a table with a "split"',
      'let one side write it: rows of a list have no key by which two lists could be brought together',
    );
  if (truncate === 'delete')
    complain(
      [...at, 'writers'],
      'cannot be "both" with "truncate: delete"',
      'leave "truncate" out: it would take away what the other side has written',
    );
  if (isByKafka)
    complain(
      [...at, 'writers'],
      'cannot be "both" where changes come through Kafka',
      'read the source by "kind: binlog": its offsets say what a writer had seen',
    );
  if (policy === 'version' && version === undefined)
    complain([...at, 'conflicts'], 'name no version', 'add "version: COLUMN", a mapped target column');
  if (policy !== 'version' && version !== undefined)
    complain(
      [...at, 'conflicts', 'version'],
      'is asked by no policy',
      'add "policy: version", or leave it out',
    );
  if (version !== undefined && table.columns[version] === undefined)
    complain(
      [...at, 'conflicts', 'version'],
      `"${version}" is not a mapped column`,
      'map it under "columns", or name one that is',
    );
  if (version !== undefined && columns[version] !== undefined)
    complain(
      [...at, 'conflicts', 'columns', version],
      'is the version of the row',
      'leave it out here: it belongs to the row',
    );
  if (policy !== 'authority' && Object.keys(columns).length > 0)
    complain(
      [...at, 'conflicts', 'columns'],
      'go apart from the row only where one side has the authority',
      'leave them out, or write "policy: authority"',
    );
  for (const [name, rule] of Object.entries(columns)) {
    const mapped = table.columns[name];
    if (mapped === undefined)
      complain(
        [...at, 'conflicts', 'columns', name],
        'is not a mapped column',
        'map it under "columns", or leave it out',
      );
    else if (rule === 'additive' && typeof mapped !== 'string' && !('minor' in mapped))
      complain(
        [...at, 'conflicts', 'columns', name],
        'is mapped so that differences are not kept',
        'copy the number as it is or with "minor"',
      );
  }
}
