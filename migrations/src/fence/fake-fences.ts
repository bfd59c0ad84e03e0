import type { FenceMoved, FenceOrder, Fences, FenceSeen, FenceStart } from './fences.js';

type Row = NonNullable<FenceSeen['state']>;
type Writer = { readonly holds: Set<string>; readonly ended: Promise<void> };

/** A transaction of somebody who writes: it holds the fences of what it has written until it ends. */
export type FakeTransaction = { write(table: string): void; end(): void };

/** Fences without a database, and writers who meet them. `now` dates the rows. */
export function fakeFences(now: () => number = () => 0) {
  const rows = new Map<string, Row>();
  const writers = new Set<Writer>();

  const begin = (isApplier = false): FakeTransaction => {
    let end = () => {};
    const writer: Writer = { holds: new Set(), ended: new Promise((resolve) => (end = resolve)) };
    writers.add(writer);
    return {
      write(table) {
        const row = rows.get(table);
        if (row && row.closed !== isApplier) throw new Error(`FENCED:${table}:${row.epoch}`);
        writer.holds.add(table);
      },
      end() {
        writers.delete(writer);
        end();
      },
    };
  };

  const move = async (
    tables: readonly string[],
    closed: boolean,
    { epoch, coordinator, timeoutMs, reason }: FenceOrder,
  ): Promise<FenceMoved> => {
    const missing = tables.filter((table) => !rows.has(table));
    if (missing.length > 0) return { kind: 'missing', tables: missing };
    const open = [...writers].filter(({ holds }) => tables.some((table) => holds.has(table)));
    const late = AbortSignal.timeout(timeoutMs);
    const isLate = await Promise.race([
      Promise.all(open.map(({ ended }) => ended)).then(() => false),
      new Promise<boolean>((resolve) => late.addEventListener('abort', () => resolve(true))),
    ]);
    if (isLate)
      return {
        kind: 'blocked',
        blockers: open.map((_, index) => ({
          id: String(index),
          ageMs: timeoutMs,
          account: 'app@localhost',
          statement: null,
        })),
      };
    const before = tables.map((table) => rows.get(table) as Row);
    const newest = {
      epoch: Math.max(0, ...before.map((row) => row.epoch)),
      coordinator: Math.max(0, ...before.map((row) => row.coordinator)),
    };
    const isOver = closed && epoch > 0 && before.some((row) => row.epoch === epoch && !row.closed);
    if (newest.epoch > epoch || newest.coordinator > coordinator || isOver)
      return { kind: 'stale', ...newest };
    for (const table of tables)
      rows.set(table, {
        closed,
        epoch,
        coordinator,
        reason: reason ?? null,
        at: new Date(now()).toISOString(),
      });
    return { kind: 'moved' };
  };

  const toInstall = async (tables: readonly string[]): Promise<readonly string[]> =>
    tables.filter((table) => !rows.has(table)).map((table) => `put up a fence for ${table}`);
  const toRemove = async (tables: readonly string[]): Promise<readonly string[]> =>
    tables.filter((table) => rows.has(table)).map((table) => `take the fence of ${table} away`);
  const fences: Fences = {
    toInstall,
    async install(tables, { open, epoch }: FenceStart) {
      for (const table of tables)
        if (!rows.has(table))
          rows.set(table, {
            closed: !open,
            epoch,
            coordinator: 0,
            reason: null,
            at: new Date(now()).toISOString(),
          });
    },
    toRemove,
    async remove(tables) {
      for (const table of tables) rows.delete(table);
    },
    close: (tables, order) => move(tables, true, order),
    open: (tables, order) => move(tables, false, order),
    look: async (tables) =>
      tables.map((table) => {
        const state = rows.get(table) ?? null;
        return { table, state, defects: state === null ? ['has no fence row'] : [], gaps: [] };
      }),
  };
  return { fences, begin };
}
