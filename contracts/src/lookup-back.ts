import type { LookupRule } from './assembly-schema.js';
import type { TableMapping } from './mapping-schema.js';

/** The same lookup the other way, in the table that the looked-up one is carried to. What is not there would come back as nothing, so it is refused. */
export function lookupBack(
  target: string,
  { in: inTable, key, value }: LookupRule,
  tables: readonly TableMapping[],
): LookupRule | undefined {
  for (const { from, to, discriminator, key: names, columns } of tables) {
    if (from !== inTable || discriminator) continue;
    const copies = Object.entries({ ...columns, ...names });
    const named = (source: string) => copies.find(([, rule]) => rule === source)?.[0];
    const [asked, given] = [named(value), named(key)];
    if (asked !== undefined && given !== undefined)
      return { column: target, in: to, key: asked, value: given, missing: 'refuse' };
  }
  return undefined;
}
