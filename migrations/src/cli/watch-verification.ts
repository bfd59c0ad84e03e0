import type { Verification, VerificationProgress } from '@strangler/contracts';
import { count } from '../report/words.js';
import type { Terminal } from './terminal.js';

const EVERY_MS = 1_000;
const QUIET_EVERY_MS = 15_000;

/** Says on a terminal how far a verification is, so that nobody takes silence for a hang. `progress` may fail: then it says for how long. */
export async function watchVerification(
  migration: string,
  work: Promise<Verification>,
  terminal: Terminal,
  progress: () => Promise<VerificationProgress | undefined>,
): Promise<Verification> {
  const begin = Date.now();
  let said = false;
  let isOver = false;
  const say = async () => {
    const now = await progress().catch(() => undefined);
    if (isOver) return;
    const rows = now && `, table "${now.table}", ${count(now.looked)} of about ${count(now.total)} rows`;
    const sentence = `verifying "${migration}", ${Math.round((Date.now() - begin) / 1000)} s${rows ?? ''}`;
    terminal.err(terminal.interactive ? `\r\u001b[K${sentence}` : `${sentence}\n`);
    said = true;
  };
  const timer = setInterval(() => void say(), terminal.interactive ? EVERY_MS : QUIET_EVERY_MS);
  try {
    return await work;
  } finally {
    isOver = true;
    clearInterval(timer);
    if (said && terminal.interactive) terminal.err('\r\u001b[K');
  }
}

export function verificationText(migration: string, verification: Verification): string {
  const seconds = (Date.parse(verification.finishedAt) - Date.parse(verification.startedAt)) / 1000;
  return [
    `${migration}: ${count(verification.rowsVerified)} rows compared in ${seconds.toFixed(1)} s${verification.point === undefined ? '' : `, as they were at "${verification.point}"`}, ${verification.clean ? 'no drift' : `${count(verification.driftRows)} differ`}\n`,
    ...verification.tables.flatMap((table) => [
      `  ${table.from} -> ${table.to}: ${count(table.sourceRows)} rows there, ${count(table.targetRows)} here, ${count(table.different)} different, ${count(table.missing)} missing, ${count(table.extra)} extra${table.parked ? `, ${count(table.parked)} parked` : ''}\n`,
      ...table.samples.map((sample) => `    ${sample.key}: ${sample.difference}\n`),
    ]),
  ].join('');
}
