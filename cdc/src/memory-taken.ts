import type { SourceTransaction } from '@strangler/contracts';

/** A change of a dozen columns with both images. */
const A_CHANGE = 1_500;

/** About how many bytes a transaction, or a piece of one, takes in memory. */
export const memoryTaken = ({ bytes, changes }: SourceTransaction): number =>
  bytes ?? changes.length * A_CHANGE;
