import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'dist', 'verify', 'main.js');

describe('the bench of the verification', () => {
  it('finds every difference that is planted while rows change, invents none, and leaves nothing behind', async () => {
    const server = process.env['STRANGLER_MYSQL_URL'] ?? '';
    const { stdout } = await run(process.execPath, [program, '--quick', '--json', '--server', server]);
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number | null>;
    expect(Object.keys(result)).toEqual([
      'verifyVsPtChecksum',
      'mapUs',
      'rssMiB',
      'falsePositives',
      'missed',
    ]);
    expect(result).toMatchObject({ falsePositives: 0, missed: 0 });
    const root = await createConnection(server);
    const [left] = await root.query("SHOW DATABASES LIKE 'bench\\_%'");
    const [accounts] = await root.query("SELECT 1 FROM mysql.user WHERE User LIKE 'bench\\_%'");
    await root.end();
    expect([left, accounts]).toEqual([[], []]);
  }, 60_000);
});
