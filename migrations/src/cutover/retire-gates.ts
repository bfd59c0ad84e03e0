import type { MigrationData, Plan } from '@strangler/contracts';
import { answering } from '../evidence/evidence.js';
import type { Gate } from '../gates/gate.js';
import { type GateCheck, type GateContext, proxyAnswers, syncAnswers } from '../gates/gates.js';
import { gatesIn, type Unit } from '../transition/unit.js';

const DAY_MS = 86_400_000;

/** Nobody has been served by legacy for so long, as far as the proxies know. */
const quiet: GateCheck = ({ standing, migration, evidence, name }) => {
  const since = Date.parse(standing.since ?? '');
  const served = answering(evidence.proxies).flatMap(
    ({ migrations }) => migrations[name]?.routes.flatMap(({ legacyAt }) => legacyAt ?? []) ?? [],
  );
  const last = Math.max(since, ...served.map((at) => Date.parse(at)));
  const days = (evidence.at - last) / DAY_MS;
  const needed = migration.cutover.quietDays;
  return {
    gate: 'quiet',
    met: days >= needed,
    detail: `no request on its legacy routes for ${days.toFixed(1)} days, needed are ${needed}`,
  };
};

const noStrayWrites: GateCheck = ({ evidence: { sync }, name }) => {
  const found = sync?.ok ? sync.evidence.migrations[name]?.strayWrites : undefined;
  const [newest] = found?.samples ?? [];
  const problem =
    found === undefined
      ? 'nobody has looked for writes into the tables of legacy'
      : (found.unwatched ??
        (found.count > 0
          ? `${found.count} writes into the tables of legacy came from elsewhere${newest ? `, the last into "${newest.table}" at ${newest.at} by ${newest.user ?? 'somebody unknown'}` : ''}`
          : null));
  return { gate: 'stray-writes', met: problem === null, detail: problem ?? 'nobody else writes its tables' };
};

/** Every source table that a migration reads. */
const tablesRead = ({ from, tables }: MigrationData): readonly string[] =>
  tables.flatMap((mapping) =>
    [
      mapping.from,
      ...(mapping.parts ?? []).map((part) => part.from),
      ...Object.values(mapping.lists ?? {}).map((list) => list.from),
      ...Object.values(mapping.lookups ?? {}).map((lookup) => lookup.in),
    ].map((table) => `${from}.${table}`),
  );

/** No other migration that is not retired reads the tables that would no longer be kept up to date. */
function noConsumers(unit: Unit, plan: Plan, isRetired: (migration: string) => boolean): Gate {
  const ours = new Set(
    unit.members.flatMap((member) => {
      const data = plan.migrations[member]?.data;
      return data ? tablesRead(data) : [];
    }),
  );
  const readers = Object.entries(plan.migrations).flatMap(([name, { data }]) => {
    if (unit.members.includes(name) || isRetired(name) || !data) return [];
    const shared = [...new Set(tablesRead(data))].filter((table) => ours.has(table));
    return shared.length === 0
      ? []
      : [`migration "${name}" reads ${shared.map((each) => `"${each}"`).join(', ')}`];
  });
  return {
    gate: 'consumers',
    met: readers.length === 0,
    detail: readers.join('; ') || 'no other migration reads its tables',
  };
}

/** All that must hold before legacy is no longer kept up to date. Pure. */
export const retireGates = (
  unit: Unit,
  plan: Plan,
  contexts: readonly GateContext[],
  isRetired: (migration: string) => boolean,
): readonly Gate[] => [
  ...contexts.flatMap((context) =>
    gatesIn(
      unit,
      context.name,
      [proxyAnswers, syncAnswers, quiet, noStrayWrites].map((check) => check(context)),
    ),
  ),
  noConsumers(unit, plan, isRetired),
];
