import { z } from 'zod';

const column = z.string().min(1).max(64);
const table = z.string().min(1);
const text = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const lost = z
  .array(column)
  .optional()
  .describe('columns of that table that do not come back as they were, or have no place in the target');
const key = z.record(column, column).refine((names) => Object.keys(names).length > 0, {
  message: 'names no column',
  params: { remedy: 'write the key of the target as "target: source"' },
});

const lookupSchema = z.strictObject({
  column: column.describe('source column whose value is looked up'),
  in: table.describe('source table in which it is looked up'),
  key: column.describe('column of that table that has the value, in one row at most'),
  value: column.describe('column of that table that goes to the target'),
  missing: z
    .enum(['empty', 'refuse'])
    .default('empty')
    .describe('what a value does that is not there: NULL in the target, or its key is parked'),
});

const listSchema = z.strictObject({
  from: table.describe('source table with one row for each element'),
  key: key.describe('target key column: column of that table; together they name the row of the target'),
  item: column.describe('column with the element'),
  order: column.describe('column by which the elements are put in order'),
  separator: z.string().min(1).default(','),
  absent: text.default(null).describe('what a row without elements has'),
  lost,
});

/** What of a target row comes from rows of other source tables than that of the mapping, the anchor. */
export const assemblyKeys = <Rule extends z.ZodType>(rule: Rule) => ({
  discriminator: z
    .record(column, z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe(
      'target columns of its primary key that are constant here, where other mappings write other rows of the table',
    ),
  parts: z
    .array(
      z.strictObject({
        from: table.describe('source table with at most one row for each row of the target'),
        key: key.describe(
          'target key column: column of that table; together they name the row of the target',
        ),
        columns: z.record(column, rule),
        absent: z
          .record(column, text)
          .default({})
          .describe('what columns have where the table has no row; NULL when left out'),
        lost,
      }),
    )
    .optional()
    .describe('other source tables whose rows give columns to the rows of this one'),
  lookups: z
    .record(column, lookupSchema)
    .optional()
    .describe('target column: value from another source table'),
  lists: z
    .record(column, listSchema)
    .optional()
    .describe('target column: elements of many rows of another source table as one text'),
});

export type LookupRule = z.infer<typeof lookupSchema>;
export type ListRule = z.infer<typeof listSchema>;
