import { z } from 'zod';
import type { PlanDocument } from './plan.js';

/** Migrations that move as one: a list of their names, or the same with the flag they share. */
export const groupSchema = (name: z.ZodType<string, string>) => {
  const migrations = z.array(name).min(1);
  return z.union([
    migrations.transform((all) => ({ migrations: all, flag: undefined as string | undefined })),
    z.strictObject({
      migrations,
      flag: z
        .string()
        .min(1)
        .optional()
        .describe('the one flag of them all; "strangler." and the name of the group when left out'),
    }),
  ]);
};

/** The group a migration belongs to, if it does. */
export const groupOf = (plan: Pick<PlanDocument, 'groups'>, migration: string): string | undefined =>
  Object.entries(plan.groups).find(([, { migrations }]) => migrations.includes(migration))?.[0];

/** The plan with the flag of each group in its migrations: whoever reads a flag need not know of groups. */
export const withGroupFlags = <Document extends Pick<PlanDocument, 'groups' | 'migrations'>>(
  plan: Document,
): Document => ({
  ...plan,
  migrations: Object.fromEntries(
    Object.entries(plan.migrations).map(([name, migration]) => {
      const group = groupOf(plan, name);
      const flag = group === undefined ? undefined : (plan.groups[group]?.flag ?? `strangler.${group}`);
      return [name, flag === undefined ? migration : { ...migration, flag }];
    }),
  ),
});
