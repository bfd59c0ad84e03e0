import { resolve } from 'node:path';
import type { ColumnRule } from './column-rule-schema.js';
import type { PlanDocument } from './plan.js';

const within = (folder: string, name: string): string => {
  const at = name.lastIndexOf('#');
  return `${resolve(folder, name.slice(0, at))}${name.slice(at)}`;
};

const ruleWithin = (folder: string, rule: ColumnRule): ColumnRule =>
  typeof rule === 'string' || !('function' in rule)
    ? rule
    : {
        ...rule,
        function: within(folder, rule.function),
        ...(rule.back === undefined ? {} : { back: within(folder, rule.back) }),
      };

const rulesWithin = (
  folder: string,
  rules: Readonly<Record<string, ColumnRule>>,
): Record<string, ColumnRule> =>
  Object.fromEntries(Object.entries(rules).map(([target, rule]) => [target, ruleWithin(folder, rule)]));

/** The plan with the files of mapping functions by their absolute paths. */
export const withFunctionFiles = (plan: PlanDocument, folder: string): PlanDocument => ({
  ...plan,
  migrations: Object.fromEntries(
    Object.entries(plan.migrations).map(([name, migration]) => [
      name,
      migration.data === undefined
        ? migration
        : {
            ...migration,
            data: {
              ...migration.data,
              tables: migration.data.tables.map((table) => ({
                ...table,
                columns: rulesWithin(folder, table.columns),
                ...(table.parts && {
                  parts: table.parts.map((part) => ({ ...part, columns: rulesWithin(folder, part.columns) })),
                }),
              })),
            },
          },
    ]),
  ),
});
