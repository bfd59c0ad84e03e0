import type { Plan, Problem } from '@strangler/contracts';
import { connectorNames, connectorServerId } from './connector-config.js';
import { kafkaSettingsOf } from './planned-source.js';
import { serverOf } from './same-server.js';
import { serverSettings } from './server-settings.js';
import { migrationsOf, pathOf, type Side } from './sides.js';

/**
 * Numbers by which logs and their readers are told apart: of the servers, and of the connectors that read them. The binary log is read under a number that is
 * drawn anew for each connection.
 */
export async function checkServerIds(
  plan: Plan,
  sides: ReadonlyMap<string, Side>,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const shared = (path: string, message: string, remedy: string, statements: readonly string[] = []) =>
    problems.push({ code: 'SERVER_ID_SHARED', path, message, remedy, statements });

  const servers: { readonly side: Side; readonly server: string; readonly id: number }[] = [];
  for (const side of sides.values()) {
    const settings = await serverSettings(side.connection, ['server_id']);
    servers.push({ side, server: await serverOf(side), id: Number(settings.get('server_id')) });
  }
  const connectors = migrationsOf(plan).flatMap(({ name, data }) => {
    const settings = kafkaSettingsOf(plan, data);
    if (!settings) return [];
    const { connector } = connectorNames(settings, name);
    return [{ connector, from: data.from, id: connectorServerId(settings, connector) }];
  });
  const taken = new Set([...servers, ...connectors].map(({ id }) => id));
  const free = (id: number): number => (taken.has(id) ? free(id + 1) : id);

  for (const [index, { side, server, id }] of servers.entries()) {
    const first = servers.find((other) => other.id === id && other.server !== server);
    // Without a log it has no part in replication; 0 is told as such.
    if (id === 0 || !first || servers.indexOf(first) > index) continue;
    shared(
      pathOf(side),
      `has the server id ${id}, as "${first.side.database.name}" has: neither can be made a replica of the other, and a log that holds transactions of both does not tell whose they are`,
      'give each a number of its own, there and in its configuration',
      [`SET GLOBAL server_id = ${free(id + 1)}`],
    );
  }
  for (const [index, { connector, from, id }] of connectors.entries()) {
    const server = servers.find(({ side }) => side.database.name === from);
    const twin = connectors.slice(0, index).find((other) => other.id === id);
    const like =
      server?.id === id ? `database "${from}" itself` : twin ? `connector "${twin.connector}"` : undefined;
    if (like !== undefined)
      shared(
        'sync.source.serverIds',
        `gives connector "${connector}" the server id ${id}, which ${like} has: of two readers with one number the server ends the older`,
        'choose another number to begin at, then apply the connectors',
      );
  }
  return problems;
}
