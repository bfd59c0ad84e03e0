import { describe, expect, it } from '@jest/globals';
import type { Client } from './identify.js';
import { createRecentWrites } from './recent-writes.js';

const anna: Client = { kind: 'user', id: 'anna' };
const write = (at: number, seenAt = at) => ({ clock: 'a', at, seenAt });

describe('recent writes', () => {
  it('are kept by who the client is, until the ceiling', () => {
    const recent = createRecentWrites(1_000);
    recent.note(anna, write(5));
    expect(recent.of(anna, 1_005)).toEqual(write(5));
    expect(recent.of({ kind: 'anonymous', id: 'anna' }, 6)).toBeUndefined();
    expect(recent.of({ ...anna, tenant: 'acme' }, 6)).toBeUndefined();
    expect(recent.of(anna, 1_006)).toBeUndefined();
  });

  it('keep the later of two whose answers overtook each other', () => {
    const recent = createRecentWrites(1_000);
    recent.note(anna, write(9));
    recent.note(anna, write(7));
    expect(recent.of(anna, 10)?.at).toBe(9);
  });

  it('are not kept waiting by one that is over, whatever clock it was of', () => {
    const recent = createRecentWrites(1_000);
    recent.note(anna, { clock: 'old', at: 1, seenAt: 1 });
    recent.note(anna, write(5_000));
    expect(recent.of(anna, 5_001)).toEqual(write(5_000));
  });

  it('are bounded: the oldest goes first', () => {
    const recent = createRecentWrites(1_000, 2);
    const [ben, cem] = ['ben', 'cem'].map((id): Client => ({ kind: 'user', id })) as [Client, Client];
    recent.note(anna, write(1));
    recent.note(ben, write(2));
    recent.note(anna, write(3));
    recent.note(cem, write(4));
    expect([anna, ben, cem].map((client) => recent.of(client, 5)?.at)).toEqual([3, undefined, 4]);
  });
});
