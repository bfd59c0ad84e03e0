import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', 'dist', 'proxy', 'main.js');
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('strangler-bench-'));

describe('the bench of the proxy', () => {
  it('measures, ends what it started, and says as its last line one object', async () => {
    const before = folders();
    const { stdout, stderr } = await run(process.execPath, [program, '--quick', '--json'], {
      timeout: 55_000,
    });
    const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual([
      'throughputVsFastify',
      'throughputVsHpm',
      'throughputVsHttpxy',
      'cpuVsNginx',
      'addedP99MsVsNginx',
      'decisionUs',
      'rssSlopeKbPer100k',
      'routes',
    ]);
    for (const name of ['throughputVsFastify', 'throughputVsHpm', 'throughputVsHttpxy', 'decisionUs'])
      expect(result[name]).toBeGreaterThan(0);
    expect(result['routes']).toBe(1_000);
    expect(stderr).not.toContain('errors');
    // Half of the clients of the canary are on the service: the decision that was measured was one.
    expect(Number(/\((\d+) put on the service\)/.exec(stderr)?.[1])).toBeGreaterThan(0);
    expect(folders()).toEqual(before);
  });
});
