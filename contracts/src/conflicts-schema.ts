import { z } from 'zod';

const column = z.string().min(1).max(64);

export const CONFLICT_POLICIES = ['authority', 'version', 'manual'] as const;
const side = z.enum(['source', 'target']);

/** What becomes of a row that both sides have written before either knew of the other's write. Columns are those of the target. */
const conflictsSchema = z.strictObject({
  policy: z
    .enum(CONFLICT_POLICIES)
    .default('authority')
    .describe('one side wins, the higher version wins, or the key is parked until somebody decides'),
  authority: side.default('source').describe('whose row wins, also between two equal versions'),
  version: column.optional().describe('an integer that the applications raise with each write'),
  columns: z
    .record(column, z.enum(['source', 'target', 'additive']))
    .default({})
    .describe('columns apart from the row: the side that owns it, or a number to which both sides add'),
});

/** Who writes a mapped table, and how their writes are brought together. */
export const writersKeys = {
  writers: z
    .enum(['source', 'both'])
    .default('source')
    .describe('who writes the table while data flow; "both" where a second stream carries changes back'),
  conflicts: conflictsSchema.optional().describe('of a table with "writers: both"'),
};
export type Conflicts = z.infer<typeof conflictsSchema>;
export type ConflictPolicy = Conflicts['policy'];
/** Without a word on conflicts the source wins. */
export const conflictsOf = (declared: Conflicts | undefined): Conflicts =>
  declared ?? conflictsSchema.parse({});
