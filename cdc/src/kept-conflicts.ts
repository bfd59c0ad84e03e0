import type { KeptConflicts } from '@strangler/contracts';
import { readConflicts } from './conflict-journal.js';
import { connect, controlSchemaOf, type Database } from './connect.js';
import { TARGET_TABLES } from './control-tables.js';
import { hasTables } from './check-database.js';

/** The newest conflicts of a stream, as its target keeps them; none before its first start. */
export async function keptConflicts(target: Database, stream: string): Promise<KeptConflicts> {
  const connection = await connect(target);
  try {
    const schema = controlSchemaOf(target);
    const { conflicts = '' } = TARGET_TABLES;
    const isThere = await hasTables(connection, schema, { conflicts });
    return { conflicts: isThere ? await readConflicts(connection, schema, stream) : [] };
  } finally {
    connection.destroy();
  }
}
