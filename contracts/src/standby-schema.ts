import { z } from 'zod';
import { databaseUrl } from './secret-schema.js';

/** `sync.failover`: other servers with the same database. */
export const standbySchema = z
  .record(z.string(), z.array(databaseUrl).min(1))
  .default({})
  .describe('other servers with the same database, in the order in which they are tried when it is lost');

type Complain = (path: readonly (string | number)[], message: string, remedy: string) => void;

const schemaOf = (url: unknown): string | undefined =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url).pathname : undefined;

/** A server to fail over to has the database under its own name. Takes parts that may yet be wrong. */
export function checkStandbyUrls(
  failover: Readonly<Record<string, unknown>>,
  databases: Readonly<Record<string, unknown>>,
  complain: Complain,
): void {
  for (const [name, urls] of Object.entries(failover)) {
    if (databases[name] === undefined) {
      complain(
        ['sync', 'failover', name],
        `"${name}" is not under "databases"`,
        'correct the name or add the database',
      );
      continue;
    }
    for (const [index, url] of (Array.isArray(urls) ? (urls as unknown[]) : []).entries()) {
      const [here, there] = [schemaOf(databases[name]), schemaOf(url)];
      if (here !== undefined && there !== undefined && here !== there)
        complain(
          ['sync', 'failover', name, index],
          'names another database',
          'end the URL as that of the database itself',
        );
    }
  }
}
