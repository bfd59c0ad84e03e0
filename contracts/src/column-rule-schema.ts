import { z } from 'zod';
import { columnName } from './column-name.js';

const column = columnName;

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

/** What a value can be turned into. */
export const VALUE_TYPES = ['integer', 'decimal', 'text', 'boolean', 'date', 'datetime', 'json'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

const FORMAT_PARTS = ['YYYY', 'MM', 'DD', 'HH', 'mm', 'ss'] as const;
/** How often a format names each part of a date and time. */
const counted = (format: string): readonly number[] =>
  FORMAT_PARTS.map((part) => format.split(part).length - 1);

/** Whether `format` can be read and written without a doubt. */
function isFormatOf(as: ValueType, format: string): boolean {
  if (as === 'boolean') {
    const [yes, no, ...more] = format.split('/');
    return yes !== undefined && no !== undefined && yes !== no && more.length === 0;
  }
  if (as === 'date') return counted(format).join('') === '111000';
  return (
    as === 'datetime' && (format === 'unix' || format === 'unix-ms' || counted(format).join('') === '111111')
  );
}

const typeRule = z
  .strictObject({
    type: column.describe('source column'),
    as: z.enum(VALUE_TYPES),
    format: z
      .string()
      .optional()
      .describe(
        'how the source writes it: "Y/N" for a boolean (yes first), "DD.MM.YYYY" for a date, "DD.MM.YYYY HH:mm:ss", "unix" or "unix-ms" for a datetime',
      ),
  })
  .refine(({ as, format }) => format === undefined || isFormatOf(as, format), {
    message: 'has a format that cannot be read',
    params: {
      remedy:
        'write "Y/N" for a boolean, YYYY, MM and DD once each for a date, these with HH, mm and ss for a datetime (or "unix", "unix-ms"), and none for other types',
    },
  });

const functionName = z.string().refine((text) => /^[^#\s][^#]*\.[cm]?[jt]s#[A-Za-z_$][\w$]*$/.test(text), {
  message: 'is no function',
  params: { remedy: 'write "FILE#EXPORT", such as "./mappings/price.js#toGross", relative to the plan' },
});

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
    back: z
      .record(z.string(), z.string())
      .optional()
      .describe('target value: source value, where "values" maps two values to one'),
  }),
  z.strictObject({
    flag: column.describe('source column with 0, 1 or NULL'),
    whenNull: z.boolean().default(false),
  }),
  z.strictObject({ constant: z.union([z.string(), z.number(), z.boolean(), z.null()]) }),
  typeRule,
  z.strictObject({
    join: z.array(column).min(2).describe('source columns; those that are NULL are left out'),
    separator: z.string().min(1).default(' '),
  }),
  z.strictObject({
    part: column.describe('source column that holds several values in one text'),
    separator: z.string().min(1).default(' '),
    index: z
      .number()
      .int()
      .min(0)
      .max(31)
      .describe('which of them, from 0; the last one that is mapped has the rest'),
  }),
  z.strictObject({
    function: functionName.describe(
      'FILE#EXPORT; called with an object of the columns of "reads", answers the value; pure, never a promise',
    ),
    reads: z.array(column).min(1).describe('source columns it needs'),
    back: functionName
      .optional()
      .describe('FILE#EXPORT; called with an object of this target column, answers one of source columns'),
    gives: z
      .array(column)
      .min(1)
      .optional()
      .describe('source columns that "back" answers; those of "reads" when left out'),
  }),
]);
export type ColumnRule = z.infer<typeof columnRuleSchema>;
export type TypeRule = Extract<ColumnRule, { type: string }>;
export type FunctionRule = Extract<ColumnRule, { function: string }>;

/** Source columns that a rule reads, each once. */
export function readsOf(rule: ColumnRule): readonly string[] {
  if (typeof rule === 'string') return [rule];
  if ('constant' in rule) return [];
  if ('minor' in rule) return [rule.minor];
  if ('utc' in rule) return [rule.utc];
  if ('enum' in rule) return [rule.enum];
  if ('flag' in rule) return [rule.flag];
  if ('type' in rule) return [rule.type];
  if ('part' in rule) return [rule.part];
  return [...new Set('join' in rule ? rule.join : rule.reads)];
}
