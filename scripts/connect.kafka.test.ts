import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

type Told = {
  readonly broker: { readonly up: boolean; readonly address: string };
  readonly connect: { readonly up: boolean; readonly address: string };
};
const folder = mkdtempSync(join(tmpdir(), 'strangler-connect-'));
const run = (verb: string) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(import.meta.dirname, 'connect.mjs'),
      verb,
      '--json',
      '--broker',
      '0',
      '--connect',
      '0',
      '--folder',
      folder,
    ],
    { encoding: 'utf8' },
  );
  return { status, stderr, told: stdout === '' ? undefined : (JSON.parse(stdout) as Told) };
};
afterAll(() => {
  run('down');
  rmSync(folder, { recursive: true, force: true });
});

describe('broker and worker of this machine', () => {
  it('come up, are told, stay, and end as what they are', () => {
    const up = run('up');
    expect(up).toMatchObject({ status: 0, told: { broker: { up: true }, connect: { up: true } } });
    expect(up.stderr).toMatch(/the broker is ready after/);
    expect(run('up').told).toEqual(up.told);
    expect(run('down').status).toBe(0);
    expect(run('status')).toMatchObject({
      status: 1,
      told: { broker: { up: false }, connect: { up: false } },
    });
    expect(run('down').status).toBe(0);
  }, 180_000);
});
