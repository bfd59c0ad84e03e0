import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finding, Plan } from '@strangler/contracts';
import { doctorFailed, migrationUnknown } from '../errors.js';
import { findProgram } from './find-program.js';

const SYNC = 'strangler-sync';

/** Has sync look at the databases as it would reach them: it runs for this only, and starts nothing. A plan that moves no data has nothing to look at. */
export async function askDoctor(
  plan: Plan,
  migration: string | undefined,
  environment: NodeJS.ProcessEnv,
  folder: string,
): Promise<readonly Finding[]> {
  const asked = Object.entries(plan.migrations).filter(([name]) => (migration ?? name) === name);
  if (migration !== undefined && asked.length === 0)
    throw migrationUnknown(migration, Object.keys(plan.migrations));
  if (asked.every(([, { data }]) => data === undefined)) return [];
  const script = findProgram(SYNC, [folder, dirname(fileURLToPath(import.meta.url))]);
  const only = migration === undefined ? [] : ['--migration', migration];
  return new Promise((done, failed) => {
    execFile(
      process.execPath,
      [script, 'doctor', '--plan', plan.file, '--json', ...only],
      { env: environment, maxBuffer: 1 << 24, encoding: 'utf8' },
      (error, out, err) => {
        const findings = findingsIn(out);
        if (findings) return done(findings);
        failed(doctorFailed(err.trim().split('\n').at(-1) || error?.message || 'it said nothing'));
      },
    );
  });
}

function findingsIn(text: string): readonly Finding[] | undefined {
  try {
    const { findings } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { findings?: unknown };
    return Array.isArray(findings) ? (findings as Finding[]) : undefined;
  } catch {
    return undefined;
  }
}
