import type { Traffic } from './traffic.js';
import type { World } from './world.js';

/** What the story ends with; the last line of `npm run demo -- --json`. */
export type Summary = {
  requests: number;
  failed: number;
  mismatchesFound: number;
  gateRefusals: number;
  lagMsP99: number;
  rowsVerified: number;
  driftRows: number;
  rollbackMs: number;
  /** How long writes were held by each cutover and each rollback of data. */
  heldMs: number[];
  report: string;
};

export type Story = {
  readonly world: World;
  readonly traffic: Traffic;
  /** Numbers the chapters measure on the way. */
  readonly measured: Omit<Summary, 'requests' | 'failed'>;
  /** What "at once" may take, milliseconds: a second, longer where others use the machine too. */
  readonly atOnceMs: number;
  readonly say: (sentence: string) => void;
  readonly progress: (done: number, total: number, what: string) => void;
  /** A claim of the product. One that does not hold ends the story and fails it. */
  readonly claim: (sentence: string, holds: boolean, detail?: string) => void;
};

export type Chapter = { readonly title: string; readonly run: (story: Story) => Promise<void> };

export class ClaimFailed extends Error {
  override readonly name = 'ClaimFailed';
}
