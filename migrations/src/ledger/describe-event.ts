import type { LedgerEvent, LedgerKind } from './ledger.js';

const share = (percent: number | null) => (percent === null ? '' : ` at ${percent} %`);
const way = (event: LedgerEvent) =>
  `from "${event.from}"${share(event.shareFrom)} to "${event.to}"${share(event.shareTo)}`;

const SENTENCES: Readonly<Record<LedgerKind, (event: LedgerEvent) => string>> = {
  advanced: (event) => `advanced ${way(event)}`,
  forced: (event) => `forced ${way(event)}`,
  refused: (event) => `refused to go ${way(event)}`,
  'rolled-back': (event) => `rolled back ${way(event)}`,
  'share-changed': (event) =>
    `share changed from ${event.shareFrom ?? 'unknown'} % to ${event.shareTo ?? 'unknown'} %`,
  verified: ({ verification }) =>
    verification?.clean
      ? `verified ${verification.rowsVerified} rows without drift`
      : `verified with ${verification?.driftRows ?? 'unknown'} rows of drift`,
  approved: () => 'approved for its cutover',
  cutover: ({ cutover, ...event }) =>
    `${cutover?.to === 'legacy' ? 'rollback' : 'cutover'} ${cutover?.epoch ?? ''} is "${cutover?.state ?? ''}"${event.from === event.to ? '' : `, ${way(event)}`}`,
};

/** An event as half a sentence: `rolled back from "canary" at 50 % to "shadow" by "ann"`. */
export const describeEvent = (event: LedgerEvent): string =>
  `${SENTENCES[event.kind](event)} by "${event.by}"`;
