import { resolve } from 'node:path';
import { IANAZone } from 'luxon';

/** Everything the shop reads from its process environment. `port` 0 takes a free one; `publicUrl` has no slash at its end. */
export interface Environment {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly timezone: string;
  readonly uploadDir: string;
}

export const ENVIRONMENT = Symbol('environment');

/** Throws one sentence when a variable is missing or not usable. */
export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const databaseUrl = variables['SHOP_DATABASE_URL'];
  if (!databaseUrl)
    throw new Error('"SHOP_DATABASE_URL" is missing: set it to mysql://user:password@host:port/database');
  if (!URL.canParse(databaseUrl) || new URL(databaseUrl).pathname.length < 2)
    throw new Error('"SHOP_DATABASE_URL" names no database: write mysql://user:password@host:port/database');

  const port = Number(variables['SHOP_PORT'] ?? variables['PORT'] ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error('"SHOP_PORT" is not a port: use a number from 0 (any free port) to 65535');

  const timezone = variables['SHOP_TIMEZONE'] ?? 'Europe/Berlin';
  if (!IANAZone.isValidZone(timezone))
    throw new Error(`"SHOP_TIMEZONE" does not know "${timezone}": use a name such as Europe/Berlin`);

  return {
    databaseUrl,
    host: variables['SHOP_HOST'] ?? '127.0.0.1',
    port,
    publicUrl: variables['SHOP_PUBLIC_URL']?.replace(/\/+$/, '') || undefined,
    timezone,
    uploadDir: resolve(variables['SHOP_UPLOAD_DIR'] ?? '.strangler/uploads'),
  };
}
