/** A measured condition that must hold before a phase may advance. */
export type Gate = {
  readonly gate: string;
  readonly met: boolean;
  /** One sentence: what was measured, and what is missing. */
  readonly detail: string;
};
