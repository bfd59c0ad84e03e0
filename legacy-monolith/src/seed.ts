import { parseArgs } from 'node:util';
import { readEnvironment } from './environment.js';
import { seed } from './seed/seed.js';

try {
  const { values } = parseArgs({
    options: {
      reset: { type: 'boolean', default: false },
      products: { type: 'string' },
      customers: { type: 'string' },
      orders: { type: 'string' },
      reviews: { type: 'string' },
    },
  });
  const { reset, ...rows } = values;
  const counts = await seed({
    url: readEnvironment().databaseUrl,
    reset,
    ...Object.fromEntries(Object.entries(rows).map(([table, count]) => [table, Number(count)])),
  });
  for (const [table, count] of Object.entries(counts)) console.log(`${table} ${count}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
