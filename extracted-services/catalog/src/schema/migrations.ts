import { CreateCatalog1760000000000 } from './1760000000000-create-catalog.js';

export const MIGRATIONS_TABLE = 'schema_migration';

/** Every migration, oldest first. A file that is not named here does not run. */
export const migrations = [CreateCatalog1760000000000];
