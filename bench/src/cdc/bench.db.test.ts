import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'dist', 'cdc', 'main.js');

describe('the bench of the apply', () => {
  it('applies its load to the right end, says one object, and leaves nothing behind', async () => {
    const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
    const { stdout } = await run(process.execPath, [program, '--quick', '--json', '--server', server]);
    const result = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(result)).toEqual(['applyRowsPerSec', 'rows', 'seconds', 'peakRssMb']);
    expect(result['applyRowsPerSec']).toBeGreaterThan(0);
    const root = await createConnection(server);
    const [left] = await root.query("SHOW DATABASES LIKE 'bench\\_%'");
    await root.end();
    expect(left).toEqual([]);
  });
});
