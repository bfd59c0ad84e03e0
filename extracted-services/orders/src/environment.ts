import { IANAZone } from 'luxon';

/** Everything the service reads from its process environment. `port` 0 takes a free one; `timezone` is the shop's, for the local times in its answers; `shopUrl` has no slash at its end. */
export interface Environment {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly timezone: string;
  readonly shopUrl: string;
}

export const ENVIRONMENT = Symbol('environment');

/** Throws one sentence when ORDERS_DATABASE_URL is missing or names no database. */
export function readDatabaseUrl(variables: NodeJS.ProcessEnv = process.env): string {
  const databaseUrl = variables['ORDERS_DATABASE_URL'];
  if (!databaseUrl)
    throw new Error('"ORDERS_DATABASE_URL" is missing: set it to mysql://user:password@host:port/database');
  if (!URL.canParse(databaseUrl) || new URL(databaseUrl).pathname.length < 2)
    throw new Error(
      '"ORDERS_DATABASE_URL" names no database: write mysql://user:password@host:port/database',
    );
  return databaseUrl;
}

/** Throws one sentence when a variable is missing or not usable. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const port = Number(variables['ORDERS_PORT'] || 3200);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error('"ORDERS_PORT" is not a port: use a number from 0 (any free port) to 65535');

  const timezone = variables['ORDERS_TIMEZONE'] || 'Europe/Berlin';
  if (!IANAZone.isValidZone(timezone))
    throw new Error(`"ORDERS_TIMEZONE" does not know "${timezone}": use a name such as Europe/Berlin`);

  const shopUrl = variables['ORDERS_SHOP_URL'];
  if (!shopUrl || !/^https?:$/.test(URL.canParse(shopUrl) ? new URL(shopUrl).protocol : ''))
    throw new Error('"ORDERS_SHOP_URL" is no address of the shop: set it to http://host:port');

  return {
    databaseUrl: readDatabaseUrl(variables),
    host: variables['ORDERS_HOST'] || '127.0.0.1',
    port,
    timezone,
    shopUrl: shopUrl.replace(/\/+$/, ''),
  };
}
