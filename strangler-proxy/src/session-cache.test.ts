import { describe, expect, it } from '@jest/globals';
import { createSessionCache } from './session-cache.js';

const IDS = ['sid'];

/** Asks are answered when the test says so. */
function setup({ max = 100, keepMs = 1_000 } = {}) {
  let time = 0;
  const cache = createSessionCache<string>({ max, now: () => time });
  const waiting: ((answer: string) => void)[] = [];
  const ask = async () => {
    const value = await new Promise<string>((answer) => waiting.push(answer));
    return { value, kept: `${value}, kept`, keepMs };
  };
  const get = (ids = IDS, asker = 'browser') => cache.get(ids, asker, ask);
  /** Answers the oldest question, and lets what follows from it happen. */
  const answer = async (text: string) => {
    waiting.shift()?.(text);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { ...cache, get, answer, waiting, pass: (ms: number) => void (time += ms) };
}

describe('what is known of a session', () => {
  it('is asked for once, however many wait for it, and kept for its time', async () => {
    const { get, answer, waiting, pass } = setup();
    const all = [get(), get(), get()];
    expect(waiting).toHaveLength(1);
    await answer('anna');
    expect(await Promise.all(all)).toEqual(['anna', 'anna', 'anna']);
    expect(await get()).toBe('anna, kept');
    pass(1_000);
    void get();
    expect(waiting).toHaveLength(1);
  });

  it('is another for another asker and for another session', () => {
    const { get, waiting } = setup();
    void get();
    void get(IDS, 'another browser');
    void get(['another']);
    expect(waiting).toHaveLength(3);
  });

  it('is forgotten by a logout', async () => {
    const { get, answer, waiting, revoke } = setup();
    const first = get();
    await answer('anna');
    await first;
    revoke(IDS);
    void get();
    expect(waiting).toHaveLength(1);
  });

  it('counts for nobody, and is not kept, when the logout came while it was on its way', async () => {
    const { get, answer, waiting, revoke } = setup();
    const asked = get();
    revoke(IDS);
    await answer('anna');
    expect(waiting).toHaveLength(1);
    await answer('nobody');
    expect(await asked).toBe('nobody');
    expect(await get()).toBe('nobody, kept');
  });

  it('is not taken from an answer on its way by one who asks after the logout', async () => {
    const { get, answer, waiting, revoke } = setup();
    void get();
    revoke(IDS);
    const after = get();
    expect(waiting).toHaveLength(2);
    await answer('anna');
    await answer('nobody');
    expect(await after).toBe('nobody');
  });

  it('ends with any one of its cookies', async () => {
    const { get, answer, waiting, revoke } = setup();
    const asked = get(['sid', 'tenant']);
    await answer('anna');
    await asked;
    revoke(['tenant']);
    void get(['sid', 'tenant']);
    expect(waiting).toHaveLength(1);
  });

  it('stays revoked though so many others were that this one is not remembered', async () => {
    const { get, answer, waiting, revoke } = setup({ max: 2 });
    const asked = get();
    revoke(IDS);
    for (const id of ['a', 'b', 'c']) revoke([id]);
    await answer('anna');
    expect(waiting).toHaveLength(1);
    await answer('nobody');
    expect(await asked).toBe('nobody');
  });

  it('is given up when it is revoked again and again', async () => {
    const { get, answer, revoke } = setup();
    const asked = get();
    for (let tries = 0; tries < 3; tries++) {
      revoke(IDS);
      await answer('anna');
    }
    expect(await asked).toBeUndefined();
  });

  it('is asked for again after what may have been a login, unless somebody was logged in', async () => {
    const { get, answer, waiting, revokeUnless } = setup();
    const asked = get();
    await answer('nobody');
    await asked;
    revokeUnless(IDS, 'browser', (known) => known.startsWith('nobody'));
    expect(await get()).toBe('nobody, kept');
    revokeUnless(IDS, 'browser', (known) => known.startsWith('anna'));
    void get();
    expect(waiting).toHaveLength(1);
  });
});
