import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import type { ChangeEvent, Offset, Row, SourceTransaction } from '@strangler/contracts';
import type { ChangeSource } from './change-source.js';

export type Item = { readonly id: number; readonly name: string | null };
export type Step =
  { readonly insert: Item } | { readonly update: Item; readonly from: Item } | { readonly delete: Item };

/** What a source has to be given to be tried: a way to commit to it, and to what it does not capture. */
export type Trial = {
  readonly source: ChangeSource;
  commit(...steps: readonly Step[]): Promise<void>;
  commitElsewhere(): Promise<void>;
  rollBack(...steps: readonly Step[]): Promise<void>;
  purge(): Promise<void>;
};

const rowOf = ({ id, name }: Item): Row => ({ id: String(id), name });
export const eventOf = (step: Step): Pick<ChangeEvent, 'operation' | 'before' | 'after'> =>
  'insert' in step
    ? { operation: 'insert', before: null, after: rowOf(step.insert) }
    : 'update' in step
      ? { operation: 'update', before: rowOf(step.from), after: rowOf(step.update) }
      : { operation: 'delete', before: rowOf(step.delete), after: null };

/** The steps as one transaction of the table `item`. */
export async function runSteps(
  connection: Connection,
  steps: readonly Step[],
  end: 'COMMIT' | 'ROLLBACK',
): Promise<void> {
  await connection.query('START TRANSACTION');
  if (steps.length > 1_000) {
    const rows = steps.flatMap((step) => ('insert' in step ? [[step.insert.id, step.insert.name]] : []));
    await connection.query('INSERT INTO item VALUES ?', [rows]);
  } else
    for (const step of steps)
      if ('insert' in step)
        await connection.query('INSERT INTO item VALUES (?, ?)', [step.insert.id, step.insert.name]);
      else if ('update' in step)
        await connection.query('UPDATE item SET id = ?, name = ? WHERE id = ?', [
          step.update.id,
          step.update.name,
          step.from.id,
        ]);
      else await connection.query('DELETE FROM item WHERE id = ?', [step.delete.id]);
  await connection.query(end);
}

/** Reads transactions until `count` came, from an offset. */
export async function read(source: ChangeSource, from: Offset, count: number): Promise<SourceTransaction[]> {
  const end = new AbortController();
  const transactions: SourceTransaction[] = [];
  let pieces: ChangeEvent[] = [];
  for await (const { isContinued, bytes: _bytes, changes, ...rest } of source.stream(from, end.signal)) {
    pieces.push(...changes);
    if (isContinued) continue;
    transactions.push({ ...rest, changes: pieces });
    pieces = [];
    if (transactions.length === count) break;
  }
  return transactions;
}
export const changesOf = (transactions: readonly SourceTransaction[]) =>
  transactions.map(({ changes }) =>
    changes.map(({ operation, before, after }) => ({ operation, before, after })),
  );

/** What every change source promises. */
export function changeSourceConformance(
  name: string,
  open: () => Promise<Trial>,
  close: () => Promise<void>,
): void {
  describe(`${name} is a change source`, () => {
    let trial: Trial;
    let id = 0;
    const item = (label: string | null = 'x'): Item => ({ id: ++id, name: label });
    beforeAll(async () => {
      trial = await open();
    });
    afterAll(close);

    it('yields what was committed behind the offset, whole and in order', async () => {
      const [a, b, c] = [item('a'), item(null), item('ü')];
      await trial.commit({ insert: item('before') });
      const from = await trial.source.now();
      const committed: Step[][] = [
        [{ insert: a }, { insert: b }],
        [{ update: { ...a, name: 'a2' }, from: a }, { delete: b }, { insert: c }],
        [{ update: { id: c.id + 1_000_000, name: null }, from: c }],
      ];
      for (const steps of committed) await trial.commit(...steps);
      const transactions = await read(trial.source, from, committed.length);
      expect(changesOf(transactions)).toEqual(committed.map((steps) => steps.map(eventOf)));
    });

    it('goes on from the offset of any transaction, and ids are never the same', async () => {
      const from = await trial.source.now();
      const items = [item('1'), item('2'), item('3'), item('4')];
      for (const insert of items) await trial.commit({ insert });
      const all = await read(trial.source, from, 4);
      for (const [index, { next }] of all.slice(0, -1).entries()) {
        const rest = all.slice(index + 1);
        expect(await read(trial.source, next, rest.length)).toEqual(rest);
      }
      expect(new Set(all.map((transaction) => transaction.id)).size).toBe(4);
      await trial.commit({ insert: item('5') });
      expect(changesOf(await read(trial.source, all.at(-1)?.next ?? from, 1))).toEqual([
        [expect.objectContaining({ after: expect.objectContaining({ name: '5' }) })],
      ]);
    });

    it('leaves out what was rolled back and what is not captured', async () => {
      const from = await trial.source.now();
      await trial.rollBack({ insert: item('never') });
      await trial.commitElsewhere();
      const insert = item('only this');
      await trial.commit({ insert });
      expect(changesOf(await read(trial.source, from, 1))).toEqual([[eventOf({ insert })]]);
    });

    it('waits for what is not committed yet, and ends when it is told to', async () => {
      const from = await trial.source.now();
      const end = new AbortController();
      const stream = trial.source.stream(from, end.signal)[Symbol.asyncIterator]();
      const next = stream.next();
      const insert = item('late');
      await trial.commit({ insert });
      expect((await next).value.changes[0]).toMatchObject(eventOf({ insert }));
      const waiting = stream.next();
      end.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
    });

    it('yields a large one in pieces, and again from its beginning until it was read to its end', async () => {
      const from = await trial.source.now();
      const inserts = Array.from({ length: 6_000 }, () => ({ insert: item('x'.repeat(60)) }));
      await trial.commit(...inserts);
      await trial.commit({ insert: item('behind') });
      const pieces: SourceTransaction[] = [];
      for await (const piece of trial.source.stream(from, new AbortController().signal)) {
        pieces.push(piece);
        if (!piece.isContinued) break;
      }
      expect(pieces.length).toBeGreaterThan(1);
      const begin = pieces[0]?.next ?? from;
      expect(
        pieces.slice(0, -1).every((piece) => piece.next.text === begin.text && piece.id === pieces[0]?.id),
      ).toBe(true);
      const [large, behind] = await read(trial.source, begin, 2);
      expect(large?.changes.map(({ after }) => after)).toEqual(inserts.map(({ insert }) => rowOf(insert)));
      expect(large?.next).toEqual(pieces.at(-1)?.next);
      expect(behind?.changes).toHaveLength(1);
    });

    it('can be read by two at once', async () => {
      const from = await trial.source.now();
      for (let round = 0; round < 5; round++) await trial.commit({ insert: item(`${round}`) });
      const [one, two] = await Promise.all([read(trial.source, from, 5), read(trial.source, from, 5)]);
      expect(one).toEqual(two);
    });

    it('says when its log no longer reaches back', async () => {
      const from = await trial.source.now();
      await trial.commit({ insert: item('forgotten') });
      await trial.purge();
      await expect(read(trial.source, from, 1)).rejects.toMatchObject({ code: 'LOG_PURGED' });
    });
  });
}
