/** A step that did not come to its end, and what is to be known of it: one sentence. */
export type Outcome =
  { readonly ok: true; readonly note: string } | { readonly ok: false; readonly note: string };

export const done = (note: string): Outcome => ({ ok: true, note });
export const failed = (note: string): Outcome => ({ ok: false, note });

/**
 * What a cutover does to the world, one method for each thing between two rows of the journal. Each can be done again by another coordinator that does not know whether it was done
 * before. Two implementations: one does them, one says what it would do.
 */
export type CutoverSteps = {
  /** Before anything is held: the id counters of the new side are set ahead. */
  prepare(): Promise<Outcome>;
  /** Every live proxy holds new writes, and those on their way have ended or met their deadline. */
  hold(): Promise<Outcome>;
  /** The fence of the old side closes behind every writer that was before it. */
  fence(): Promise<Outcome>;
  /** The new side has everything that was committed before the fence. */
  catchUp(): Promise<Outcome>;
  /** Both sides are equal, the ids are handed over, and the stream that will run next knows where it begins. */
  verify(): Promise<Outcome>;
  /** The fence of the new side opens. */
  open(): Promise<Outcome>;
  /** The proxies send held and new writes to the new side. Who does not hear of it meets the fence. */
  release(): Promise<Outcome>;
  /** Changes flow from the new side to the old one. */
  reverse(): Promise<Outcome>;
  /** The fence of the old side opens again. */
  reopen(): Promise<Outcome>;
};
