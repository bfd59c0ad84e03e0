import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'dist', 'cdc', 'main.js');

const KEYS = [
  'applyVsJdbcSink',
  'captureRowsPerSec',
  'backfillVsDump',
  'lagMsP99Embedded',
  'lagVsJdbcSink',
  'rssMiB',
];

describe('the bench of the data flow', () => {
  it('brings every part to its right end, says one object and what could not be run, and leaves nothing behind', async () => {
    const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
    const environment = { ...process.env };
    delete environment['STRANGLER_KAFKA'];
    const { stdout, stderr } = await run(
      process.execPath,
      [program, '--quick', '--json', '--server', server],
      { env: environment },
    );
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number | null>;
    expect(Object.keys(result)).toEqual(KEYS);
    for (const key of ['captureRowsPerSec', 'lagMsP99Embedded', 'rssMiB'])
      expect(result[key]).toBeGreaterThan(0);
    expect(result['applyVsJdbcSink']).toBeNull();
    expect(stderr).toMatch(/^apply: \d+ rows\/s from memory/m);
    expect(stderr).toMatch(/^sink: there is no broker/m);
    const root = await createConnection(server);
    const [left] = await root.query("SHOW DATABASES LIKE 'bench\\_%'");
    await root.end();
    expect(left).toEqual([]);
  }, 60_000);
});
