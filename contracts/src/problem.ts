/** Something wrong with a plan or with a machine, found before anything is changed. */
export type Problem = {
  readonly code: string;
  /** Where: a path in the plan (`migrations.catalog.routes[2]`), or a subject such as `database legacy`. */
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
  /** What can be run as it stands to remedy it, in this order, where there is such. */
  readonly statements?: readonly string[];
  /** 1-based line in the plan file, where known. */
  readonly line?: number;
};

/** One problem as one line for a terminal. */
export const problemLine = (problem: Problem): string =>
  `${problem.path}${problem.line === undefined ? '' : ` (line ${problem.line})`}: ${problem.message}: ${problem.remedy}`;
