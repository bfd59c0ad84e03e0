import { parseArgs } from 'node:util';
import { readEnvironment } from './environment.js';
import { seed } from './seed/seed.js';

try {
  const { values } = parseArgs({ options: { reset: { type: 'boolean', default: false } } });
  const counts = await seed({ url: readEnvironment().databaseUrl, reset: values.reset });
  for (const [table, count] of Object.entries(counts)) console.log(`${table} ${count}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
