import type { Problem } from '@strangler/contracts';
import { readGrants } from './grants.js';
import { pathOf, type Side } from './sides.js';

/** What cannot be told because the account may not look: `on` is where it lacks the privilege. */
export async function hidden(side: Side, what: string, privilege: string, on = '*.*'): Promise<Problem> {
  const { account } = await readGrants(side.connection);
  return {
    code: 'METADATA_HIDDEN',
    path: pathOf(side),
    message: `does not show ${what} to ${account}, so nothing can be said of them`,
    remedy: 'let the account see them for as long as the doctor looks',
    statements: [`GRANT ${privilege} ON ${on} TO ${account}`],
  };
}
