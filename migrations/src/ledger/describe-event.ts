import type { LedgerEvent } from './ledger.js';

const share = (percent: number | null) => (percent === null ? '' : ` at ${percent} %`);

/** An event as half a sentence: `rolled back from "canary" at 50 % to "shadow" by "ann"`. */
export function describeEvent(event: LedgerEvent): string {
  const by = `by "${event.by}"`;
  switch (event.kind) {
    case 'advanced':
    case 'forced':
      return `${event.kind} from "${event.from}"${share(event.shareFrom)} to "${event.to}"${share(event.shareTo)} ${by}`;
    case 'rolled-back':
      return `rolled back from "${event.from}"${share(event.shareFrom)} to "${event.to}" ${by}`;
    case 'share-changed':
      return `share changed from ${event.shareFrom ?? 'unknown'} % to ${event.shareTo ?? 'unknown'} % ${by}`;
    case 'refused':
      return `refused to go from "${event.from}"${share(event.shareFrom)} to "${event.to}"${share(event.shareTo)} ${by}`;
    case 'verified':
      return event.verification?.clean
        ? `verified ${event.verification.rowsVerified} rows without drift ${by}`
        : `verified with ${event.verification?.driftRows ?? 'unknown'} rows of drift ${by}`;
  }
}
