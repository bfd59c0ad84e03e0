import type { Problem } from '@strangler/contracts';
import { serverSettings } from './server-settings.js';
import { pathOf, type Side } from './sides.js';

/** What no two servers have in common, by variables that every account may read. */
const IDENTITY = ['hostname', 'port', 'socket', 'datadir', 'server_uuid', 'server_uid'];

/** Two sides are on the same server exactly when this is equal, by whatever address each was reached. */
export async function serverOf({ connection }: Pick<Side, 'connection'>): Promise<string> {
  const settings = await serverSettings(connection, IDENTITY);
  return JSON.stringify(IDENTITY.map((name) => settings.get(name) ?? null));
}

/** What is found of a server by way of several of its databases, told once: for the first of them. */
export async function toldOnce(
  problems: readonly Problem[],
  sides: ReadonlyMap<string, Side>,
): Promise<readonly Problem[]> {
  const servers = new Map<string, string>();
  for (const side of sides.values()) servers.set(pathOf(side), await serverOf(side));
  const told = new Set<string>();
  return problems.filter(({ code, path, message, statements = [] }) => {
    const server = servers.get(path);
    if (server === undefined) return true;
    // A sentence may have a number in it that has changed since; what is to be run has not.
    const id = JSON.stringify([server, code, statements.length > 0 ? statements : message]);
    return !told.has(id) && told.add(id) !== undefined;
  });
}
