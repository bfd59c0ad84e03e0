import { IANAZone } from 'luxon';

/** How often a gross price is rounded on its way: `once` at the end, or `twice`, as the shop has always done. */
export const roundings = ['once', 'twice'] as const;
export type Rounding = (typeof roundings)[number];

/** Everything the service reads from its process environment. `port` 0 takes a free one; `timezone` is the shop's, for the local times in its answers. */
export interface Environment {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly timezone: string;
  readonly rounding: Rounding;
}

export const ENVIRONMENT = Symbol('environment');

const isRounding = (text: string): text is Rounding => (roundings as readonly string[]).includes(text);

/** Throws one sentence when CATALOG_DATABASE_URL is missing or names no database. */
export function readDatabaseUrl(variables: NodeJS.ProcessEnv = process.env): string {
  const databaseUrl = variables['CATALOG_DATABASE_URL'];
  if (!databaseUrl)
    throw new Error('"CATALOG_DATABASE_URL" is missing: set it to mysql://user:password@host:port/database');
  if (!URL.canParse(databaseUrl) || new URL(databaseUrl).pathname.length < 2)
    throw new Error(
      '"CATALOG_DATABASE_URL" names no database: write mysql://user:password@host:port/database',
    );
  return databaseUrl;
}

/** Throws one sentence when a variable is missing or not usable. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const port = Number(variables['CATALOG_PORT'] || 3100);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error('"CATALOG_PORT" is not a port: use a number from 0 (any free port) to 65535');

  const timezone = variables['CATALOG_TIMEZONE'] || 'Europe/Berlin';
  if (!IANAZone.isValidZone(timezone))
    throw new Error(`"CATALOG_TIMEZONE" does not know "${timezone}": use a name such as Europe/Berlin`);

  const rounding = variables['CATALOG_ROUNDING'] || 'once';
  if (!isRounding(rounding))
    throw new Error(`"CATALOG_ROUNDING" does not know "${rounding}": use "once" or "twice"`);

  return {
    databaseUrl: readDatabaseUrl(variables),
    host: variables['CATALOG_HOST'] || '127.0.0.1',
    port,
    timezone,
    rounding,
  };
}
