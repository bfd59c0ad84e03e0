import type { StranglerError } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { fenceNotAllowed } from '../errors.js';
import { errorNumber, type FenceDatabase, quoted, rowsOf } from './fence-database.js';
import { accountText } from './transactions.js';

const NEEDS_SUPER = 1419;
const DENIED = new Set([1044, 1142, 1143, 1227, 1370]);

/** What an account lacks to put up a fence, with the statement that gives it; undefined for any other error. */
export async function refusalOf(
  database: FenceDatabase,
  connection: Connection,
  error: unknown,
): Promise<StranglerError | undefined> {
  const number = errorNumber(error);
  if (number === NEEDS_SUPER)
    return fenceNotAllowed(database.name, 'SET GLOBAL log_bin_trust_function_creators = 1', error);
  if (number === undefined || !DENIED.has(number)) return undefined;
  const [row] = await rowsOf(connection, 'SELECT CURRENT_USER() account');
  const account = accountText(String(row?.['account']));
  return fenceNotAllowed(
    database.name,
    `GRANT TRIGGER ON ${quoted(database.schema)}.* TO ${account}; GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON ${quoted(database.control)}.* TO ${account}`,
    error,
  );
}
