import { fencedTablesOf, type MigrationData, type Plan, type Side, SIDES } from '@strangler/contracts';
import type { FenceDatabase } from '../fence/fence-database.js';
import { databaseNamed, openFences } from '../fence/open-fences.js';
import type { FenceMoved, Fences } from '../fence/fences.js';
import { oldTransactions, type Transaction } from '../fence/transactions.js';
import {
  checkIds,
  type HandedOverId,
  type IdHandOver,
  type IdsHandedOver,
  lookAtIds,
  prepareIds,
} from '../ids/hand-over-ids.js';
import type { Unit } from '../transition/unit.js';
import type { CutoverDatabases, FenceLook } from './databases.js';
import { done, failed, type Outcome } from './steps.js';

/** The fenced tables of a unit in one database; its migrations may share one or have several. */
export type Fenced = {
  readonly side: Side;
  readonly database: FenceDatabase;
  readonly tables: readonly string[];
};

const OPEN_TIMEOUT_MS = 5_000;

/** What a unit has in the databases of a side. */
export function fencedIn(plan: Plan, members: readonly string[], side: Side): readonly Fenced[] {
  const tables = new Map<string, Set<string>>();
  for (const { data } of dataOf(plan, members)) {
    const name = side === 'legacy' ? data.from : data.to;
    const known = tables.get(name) ?? new Set();
    for (const table of fencedTablesOf(data, side)) known.add(table);
    tables.set(name, known);
  }
  return [...tables].map(([name, set]) => ({
    side,
    database: databaseNamed(plan, name),
    tables: [...set].toSorted(),
  }));
}

const dataOf = (plan: Plan, members: readonly string[]) =>
  members.flatMap((member): { member: string; data: MigrationData }[] => {
    const data = plan.migrations[member]?.data;
    return data ? [{ member, data }] : [];
  });

/** The databases of a unit, fenced by triggers. */
export function realDatabases(
  plan: Plan,
  { members }: Pick<Unit, 'members'>,
  fencesOf: (database: FenceDatabase) => Fences = ({ name }) => openFences(plan, name),
): CutoverDatabases {
  const fenced = SIDES.flatMap((side) => fencedIn(plan, members, side));
  const ofSide = (side: Side) => fenced.filter((each) => each.side === side);
  const move = async (
    side: Side,
    work: (fences: Fences, tables: readonly string[]) => Promise<FenceMoved>,
    good: string,
  ): Promise<Outcome> => {
    for (const { database, tables } of ofSide(side)) {
      const moved = await work(fencesOf(database), tables);
      if (moved.kind !== 'moved') return failed(notMoved(database.name, moved));
    }
    return done(good);
  };
  const handOvers = (side: Side, gap: number): readonly IdHandOver[] =>
    dataOf(plan, members).map(({ data }) => ({
      data,
      legacy: databaseNamed(plan, data.from),
      service: databaseNamed(plan, data.to),
      to: side,
      gap,
    }));
  const ids = async (
    side: Side,
    gap: number,
    work: (handOver: IdHandOver) => Promise<IdsHandedOver>,
  ): Promise<Outcome> => {
    const notes: string[] = [];
    for (const handOver of handOvers(side, gap)) {
      const handed = await work(handOver);
      if (handed.kind === 'no-room') return failed(`ids run out: ${handed.tables.map(roomText).join(', ')}`);
      for (const { table, next } of handed.tables) notes.push(`"${table}" from ${next} on`);
    }
    return done(
      notes.length === 0 ? 'no table counts its ids' : `the ids of the ${side} go on: ${notes.join(', ')}`,
    );
  };
  return {
    look: () =>
      Promise.all(
        fenced.map(async ({ side, database, tables }): Promise<FenceLook> => {
          const seen = await fencesOf(database).look(tables);
          const [defect] = seen.flatMap((each) => each.defects);
          const states = seen.flatMap(({ state }) => state ?? []);
          const mixed = new Set(states.map(({ closed }) => closed)).size > 1;
          const problem = defect ?? (mixed ? `its tables do not have their fences alike` : null);
          return {
            side,
            problem,
            closed: problem === null ? (states[0]?.closed ?? null) : null,
            epoch: Math.max(0, ...states.map(({ epoch }) => epoch)),
          };
        }),
      ),
    close: (side, { epoch, coordinator, timeoutMs }) =>
      move(
        side,
        (fences, tables) => fences.close(tables, { epoch, coordinator, timeoutMs }),
        `closed the fence of the ${side}`,
      ),
    open: (side, { epoch, coordinator, timeoutMs = OPEN_TIMEOUT_MS }) =>
      move(
        side,
        (fences, tables) => fences.open(tables, { epoch, coordinator, timeoutMs }),
        `opened the fence of the ${side}`,
      ),
    async remove() {
      for (const { database, tables } of fenced) await fencesOf(database).remove(tables);
      return done('removed the fences of both sides');
    },
    async oldTransactions(side, maxMs) {
      const found = await Promise.all(ofSide(side).map(({ database }) => oldTransactions(database, maxMs)));
      return found.flat().map(transactionText);
    },
    async idsRunOut(side, gap) {
      const looks = await Promise.all(handOvers(side, gap).map(lookAtIds));
      return looks.flatMap((look) => (look.kind === 'no-room' ? look.tables.map(roomText) : []));
    },
    prepareIds: (side, gap) => ids(side, gap, prepareIds),
    checkIds: (side, gap) => ids(side, gap, checkIds),
  };
}

const roomText = ({ table, column, next, most }: HandedOverId): string =>
  `column "${column}" of table "${table}" is at ${next} of ${most}`;

const transactionText = ({ id, account, ageMs, statement }: Transaction): string =>
  `transaction ${id} of "${account}" is open for ${(ageMs / 1000).toFixed(1)} s${statement === null ? '' : ` (${statement})`}`;

function notMoved(database: string, moved: Exclude<FenceMoved, { kind: 'moved' }>): string {
  switch (moved.kind) {
    case 'stale':
      return `a newer attempt (${moved.epoch}) or coordinator has the fence of database "${database}"`;
    case 'blocked':
      return `writers of database "${database}" did not end in time: ${moved.blockers.map(transactionText).join('; ') || 'who they are is not shown to this account'}`;
    case 'missing':
      return `database "${database}" has no whole fence before ${moved.tables.map((table) => `"${table}"`).join(', ')}: use "strangler fence install"`;
  }
}
