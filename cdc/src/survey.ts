import type { Plan, Problem, TableMapping } from '@strangler/contracts';
import { readMapped, readSide } from './check.js';
import { checkClocks } from './check-clocks.js';
import { checkHeadRoom } from './check-head-room.js';
import { checkRowDoubts, type RowLimits } from './check-row-doubts.js';
import { checkShape } from './check-shape.js';
import { checkPackets, checkServer } from './check-server.js';
import { checkServerIds } from './check-server-ids.js';
import { checkTransactions } from './check-transactions.js';
import { checkWayBack } from './check-way-back.js';
import { doubtfulUniques, uniqueProblem } from './check-uniques.js';
import { migrationsOf, type Side } from './sides.js';

export type SurveyLimits = RowLimits & {
  /** Seconds from which on an open transaction is told. */
  readonly longTransactionS: number;
  /** Seconds that two clocks may be apart. */
  readonly clockS: number;
  /** That of this machine: milliseconds since 1970. */
  readonly clock: () => number;
};
export const LIMITS: SurveyLimits = {
  longTransactionS: 60,
  clockS: 1,
  clock: Date.now,
  rowsMs: 5_000,
  sampleRows: 50_000,
};

/** What keeps no sync from starting and is better known before: asked by the doctor alone, so that a start stays short. */
export async function survey(
  plan: Plan,
  sides: ReadonlyMap<string, Side>,
  limits: SurveyLimits,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [
    ...(await checkClocks(sides, limits.clock, limits.clockS)),
    ...(await checkServerIds(plan, sides)),
  ];
  for (const [name, side] of sides) {
    problems.push(...(await checkServer(plan, name, side)));
    problems.push(...(await checkTransactions(side, limits.longTransactionS)));
  }
  const pairs = new Map(migrationsOf(plan).map(({ data }) => [`${data.from} ${data.to}`, data]));
  for (const { from, to } of pairs.values()) {
    const [source, target] = [sides.get(from), sides.get(to)];
    if (source && target) problems.push(...(await checkPackets(source, target)));
  }
  for (const { name, data } of migrationsOf(plan)) {
    const legacy = sides.get(data.from);
    const tableOf = async (table: string) => {
      const found = await readSide(legacy, table);
      return found === 'unknown' ? undefined : found;
    };
    if (legacy) problems.push(...(await checkWayBack(legacy, data, tableOf, `migrations.${name}.data`)));
    for (const [index, mapping] of data.tables.entries())
      problems.push(
        ...(await surveyTables(
          mapping,
          sides.get(data.from),
          sides.get(data.to),
          limits,
          `migrations.${name}.data.tables[${index}]`,
        )),
      );
  }
  return problems;
}

async function surveyTables(
  mapping: TableMapping,
  from: Side | undefined,
  to: Side | undefined,
  limits: SurveyLimits,
  path: string,
): Promise<readonly Problem[]> {
  const tables = await readMapped(mapping, from, to);
  const { source, target } = tables;
  const problems = [...checkShape(mapping, tables, path)];
  if (!from || !to || !source || !target || source === 'unknown' || target === 'unknown') return problems;
  const uniques = await doubtfulUniques([from, to], mapping, source, target);
  return [
    ...problems,
    ...(await checkHeadRoom(from, mapping, source, target, path)),
    ...uniques.map((unique) => uniqueProblem(unique, source, target, path)),
    ...(source.isView || source.primaryKey.length === 0
      ? []
      : await checkRowDoubts(from, mapping, [source, target], uniques, limits, path)),
  ];
}
