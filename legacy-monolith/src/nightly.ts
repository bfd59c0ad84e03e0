import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { dataSourceOptions, inspectDatabase } from './database.js';
import { readEnvironment } from './environment.js';
import { LocalClock } from './local-time.js';
import { runNightly } from './nightly/run-nightly.js';

try {
  const { databaseUrl, timezone } = readEnvironment();
  const database = new DataSource(dataSourceOptions(await inspectDatabase(databaseUrl), databaseUrl));
  await database.initialize();
  try {
    const { run, note } = await runNightly(database, new LocalClock(timezone));
    console.log(`nightly run ${run}: ${note}`);
  } finally {
    await database.destroy();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
