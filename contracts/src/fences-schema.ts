import { z } from 'zod';

/** An account of a database server: `app@%`, or with quotes as in a GRANT. */
const account = z.string().transform((text, context) => {
  const match = /^(['"`]?)([^'"`\\]{1,80})\1@(['"`]?)([^'"`\\@]{1,255})\3$/.exec(text);
  if (match) return { user: match[2] as string, host: match[4] as string };
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not an account`,
    params: { remedy: `write it as "app@%", the user and the host it comes from` },
  });
  return z.NEVER;
});
export type DatabaseAccount = { readonly user: string; readonly host: string };

/** How one side at a time is let write, by database of the plan. Triggers where nothing is said. */
export const fencesSchema = (name: z.ZodType<string, string>) =>
  z
    .record(
      name,
      z.discriminatedUnion('by', [
        z.strictObject({ by: z.literal('triggers') }),
        z.strictObject({
          by: z.literal('grants'),
          account: account.describe('whose privileges on the tables are revoked while the other side writes'),
        }),
      ]),
    )
    .default({});
