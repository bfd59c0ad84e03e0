import { describe, expect, it } from '@jest/globals';
import type { ChangeEvent } from '@strangler/contracts';
import { fakeSource } from './fake-source.js';
import { withoutEchoes } from './without-echoes.js';

const origin = { schema: 'shop_strangler', stream: 'back' };
const row = (id: number): ChangeEvent => ({
  operation: 'insert',
  database: 'shop',
  table: 'item',
  before: null,
  after: { id: String(id) },
});
const mark = (offset: string, stream = 'back'): ChangeEvent => ({
  operation: 'update',
  database: 'shop_strangler',
  table: 'apply_offset',
  before: { stream, log_offset: 'before' },
  after: { stream, log_offset: offset },
});

/** Ids of the rows that come through, each transaction with what its writer had seen. */
async function through(...transactions: readonly (readonly ChangeEvent[])[]): Promise<readonly string[]> {
  const source = fakeSource();
  for (const changes of transactions) source.commit(...changes);
  source.commit(row(0));
  const end = new AbortController();
  const found: string[] = [];
  for await (const { changes, seen } of withoutEchoes(source, origin).stream({ text: '0' }, end.signal)) {
    const ids = changes.filter(({ table }) => table === 'item').map(({ after }) => String(after?.['id']));
    if (ids.includes('0')) end.abort();
    else found.push(`${ids.length > 3 ? `${ids.length} rows` : ids.join('+')} ${seen?.text ?? 'nothing'}`);
  }
  return found;
}

describe('a source without echoes', () => {
  it('leaves out what the other stream wrote, and nothing else', async () => {
    expect(await through([row(1)], [mark('a'), row(2)], [row(3), row(4)], [mark('b')], [row(5)])).toEqual([
      '1 nothing',
      '3+4 a',
      '5 b',
    ]);
  });

  it('lets through what a third stream brought into the same database', async () => {
    expect(await through([mark('x', 'another'), row(1)])).toEqual(['1 nothing']);
  });

  it('lets answers through, as transactions of their own also from a large one', async () => {
    const answer: ChangeEvent = { ...mark('x'), database: 'shop_strangler', table: 'answers' };
    const source = fakeSource();
    source.commit(mark('a'), row(1), answer);
    source.commit(mark('b'), answer, ...Array.from({ length: 1_500 }, (_, index) => row(index)));
    source.commit(row(2));
    const end = new AbortController();
    const found: string[] = [];
    for await (const transaction of withoutEchoes(source, origin).stream({ text: '0' }, end.signal)) {
      const { changes, seen, isContinued = false } = transaction;
      found.push(`${changes.map(({ table }) => table).join()} ${seen?.text} ${isContinued}`);
      if (found.length === 3) end.abort();
    }
    expect(found).toEqual(['answers a false', 'answers b false', 'item b false']);
  });

  it('leaves out every piece of a large transaction by the mark in its first one', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => row(index + 1));
    expect(await through([mark('a'), ...many], [row(1)], many)).toEqual([
      '1 a',
      '1000 rows a',
      '1000 rows a',
      '500 rows a',
    ]);
  });
});
