import { CreateOrders1761000000000 } from './1761000000000-create-orders.js';

export const MIGRATIONS_TABLE = 'schema_migration';

/** Every migration, oldest first. A file that is not named here does not run. */
export const migrations = [CreateOrders1761000000000];
