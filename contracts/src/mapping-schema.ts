import { z } from 'zod';
import { assemblyKeys } from './assembly-schema.js';
import { writersKeys } from './conflicts-schema.js';

const column = z.string().min(1).max(64);

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** How one target column is made. A bare string is the name of the source column, copied as it is. NULL stays NULL unless said otherwise. */
export const columnRuleSchema = z.union([
  column,
  z.strictObject({
    minor: column.describe('source DECIMAL column'),
    digits: z
      .number()
      .int()
      .min(0)
      .max(18)
      .describe('decimal places of the currency: 12.90 with digits 2 becomes 1290'),
  }),
  z.strictObject({
    utc: column.describe('source DATETIME column that holds local time'),
    zone: z.string().refine(isZone, {
      message: 'is not a time zone of the IANA database',
      params: { remedy: 'write it like "Europe/Berlin"' },
    }),
  }),
  z.strictObject({
    enum: column.describe('source column'),
    values: z.record(z.string(), z.string()).refine((values) => Object.keys(values).length > 0, {
      message: 'maps no value',
      params: { remedy: 'write one "source: target" line for each value of the column' },
    }),
  }),
  z.strictObject({
    flag: column.describe('source column with 0, 1 or NULL'),
    whenNull: z.boolean().default(false),
  }),
  z.strictObject({ constant: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
]);
export type ColumnRule = z.infer<typeof columnRuleSchema>;

/** One text column that holds a list becomes one child row for each element; blanks are trimmed, empty elements left out. */
export const splitRuleSchema = z.strictObject({
  to: z.string().min(1).describe('target child table'),
  column: column.describe('source column that holds the list'),
  separator: z.string().min(1).default(','),
  key: z.record(column, column).describe('target column: source key column; together they name the parent'),
  item: column.describe('target column for the element'),
  position: column.optional().describe('target column for the place in the list, counted from 0'),
});
export type SplitRule = z.infer<typeof splitRuleSchema>;

export const tableMappingSchema = z.strictObject({
  from: z.string().min(1).describe('source table'),
  to: z.string().min(1).describe('target table'),
  key: z
    .record(column, column)
    .refine((key) => Object.keys(key).length > 0, {
      message: 'names no column',
      params: { remedy: 'write the primary key as "target: source"' },
    })
    .describe('target column: source column of the primary key'),
  columns: z.record(column, columnRuleSchema).default({}),
  split: z.array(splitRuleSchema).default([]),
  leaveOut: z
    .array(column)
    .optional()
    .describe('columns of the source that came later and are known not to be carried (data.addedColumns)'),
  ...assemblyKeys(columnRuleSchema),
  ...writersKeys,
});
export type TableMapping = z.infer<typeof tableMappingSchema>;
/** Another source table of which at most one row gives columns to each row of the target. */
export type PartRule = NonNullable<TableMapping['parts']>[number];
