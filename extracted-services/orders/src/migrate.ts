import 'reflect-metadata';
import { readDatabaseUrl } from './environment.js';
import { migrate } from './schema/migrate.js';

try {
  const done = await migrate(readDatabaseUrl());
  console.log(done.length === 0 ? 'nothing to migrate' : done.map((name) => `migrated ${name}`).join('\n'));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
