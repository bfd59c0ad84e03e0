import type { Verification } from '@strangler/contracts';
import { count } from '../report/words.js';
import type { Terminal } from './terminal.js';

const EVERY_MS = 1_000;
const QUIET_EVERY_MS = 15_000;

/** Says on a terminal that a verification goes on, so that nobody takes silence for a hang. */
export async function watchVerification(
  migration: string,
  work: Promise<Verification>,
  terminal: Terminal,
): Promise<Verification> {
  const begin = Date.now();
  let said = false;
  const timer = setInterval(
    () => {
      const sentence = `verifying "${migration}", ${Math.round((Date.now() - begin) / 1000)} s`;
      terminal.err(terminal.interactive ? `\r${sentence}` : `${sentence}\n`);
      said = true;
    },
    terminal.interactive ? EVERY_MS : QUIET_EVERY_MS,
  );
  try {
    return await work;
  } finally {
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
