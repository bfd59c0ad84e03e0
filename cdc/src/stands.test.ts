import { describe, expect, it } from '@jest/globals';
import type { SourceTransaction } from '@strangler/contracts';
import { createStands, type Part } from './stands.js';

const never = new AbortController().signal;
const transaction = (id: string): SourceTransaction => ({
  id,
  next: { text: `behind ${id}` },
  committedAt: 0,
  changes: [],
});
const all = ['a', 'b', 'c'].map(transaction);
const idsOf = (parts: readonly Part[]) => parts.map(({ transactions }) => transactions.map(({ id }) => id));

describe('a flow', () => {
  it('is cut behind the transaction it has to stand at, and stands there until it may go on', async () => {
    const stands = createStands(({ id }) => id);
    expect(idsOf(stands.cut(all))).toEqual([['a', 'b', 'c']]);
    const standing = stands.standAt('b', never);
    expect(idsOf(stands.cut([transaction('0')]))).toEqual([['0']]);
    const parts = stands.cut(all);
    expect(idsOf(parts)).toEqual([['a', 'b'], ['c']]);
    const events: string[] = [];
    const stood = parts[0]?.stand?.().then(() => events.push('went on'));
    const stand = await standing;
    expect(stand.offset).toEqual({ text: 'behind b' });
    events.push('stands');
    expect(stand.goOn()).toBe(true);
    await stood;
    expect(events).toEqual(['stands', 'went on']);
    expect(stand.goOn()).toBe(false);
    expect(idsOf(stands.cut(all))).toEqual([['a', 'b', 'c']]);
  });

  it('goes on by itself when nobody lets it, and says so to who comes late', async () => {
    const stands = createStands(({ id }) => id, 1);
    const standing = stands.standAt('c', never);
    await stands.cut(all)[0]?.stand?.();
    expect((await standing).goOn()).toBe(false);
  });

  it('does not stand for somebody who has given up', async () => {
    const stands = createStands(({ id }) => id);
    const end = new AbortController();
    const standing = stands.standAt('b', end.signal);
    end.abort(new Error('given up'));
    await expect(standing).rejects.toThrow('given up');
    expect(idsOf(stands.cut(all))).toEqual([['a', 'b', 'c']]);
  });
});
