import { describe, expect, it } from '@jest/globals';
import { createHold, type Held, type HeldOutcome } from './hold.js';
import { createWrites } from './writes.js';

const LIMITS = { maxRequests: 1_000, maxBytes: 1_000, maxMs: 1_000 };
const never = () => new Promise<void>(() => {});

function line(sleep: () => Promise<void> = never) {
  const ended: string[] = [];
  const outcomes: HeldOutcome[] = [];
  const hold = createHold({ sleep, onEnded: (_migration, outcome) => void outcomes.push(outcome) });
  const add = (name: string, migration = 'catalog', bytes = 1) => {
    const held = hold.hold({ migration, limits: LIMITS, bytes, milliseconds: 1_000 });
    if ('error' in held) return held;
    void held.ended.then((how) => ended.push(`${name} ${typeof how === 'string' ? how : how.error.code}`));
    return held;
  };
  return { hold, add, ended, outcomes };
}
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((done) => setImmediate(done));
};

describe('writes that are held', () => {
  it('are let go in the order they came, not all of them in one turn, and those of others stay', async () => {
    const { hold, add, ended } = line();
    const names = Array.from({ length: 150 }, (_, index) => `write ${index}`);
    for (const name of names) add(name);
    add('another', 'search');
    hold.release('catalog');
    await Promise.resolve();
    expect(ended.length).toBeLessThan(names.length);
    await turns(5);
    expect(ended).toEqual(names.map((name) => `${name} released`));
    expect([hold.held('catalog'), hold.held('search')]).toEqual([0, 1]);
  });

  it('stay where they are when they are to be held again before it is their turn', async () => {
    const { hold, add, ended } = line();
    for (let index = 0; index < 150; index++) add(`write ${index}`);
    hold.release('catalog');
    hold.keep('catalog');
    await turns(5);
    expect(hold.held('catalog')).toBe(150 - ended.length);
    expect(hold.held('catalog')).toBeGreaterThan(0);
    hold.release('catalog');
    await turns(5);
    expect(ended).toHaveLength(150);
  });

  it('give back what they took when they end, however that is, and only once', async () => {
    const { hold, add, outcomes } = line();
    const all = ['a', 'b'].map((name) => add(name, 'catalog', 500) as Held);
    expect(add('c')).toMatchObject({ error: { code: 'PROXY_HOLD_FULL' } });
    for (const held of all) held.leave();
    all[0]?.leave();
    expect(hold.held('catalog')).toBe(0);
    expect(add('d', 'catalog', 1_000)).not.toHaveProperty('error');
    expect(outcomes).toEqual(['too-large', 'left', 'left']);
    await turns(1);
  });

  it('are all refused when the proxy stops, and so is who comes later', async () => {
    const { hold, add, ended } = line();
    add('a');
    hold.stop();
    expect(add('b')).toMatchObject({ error: { code: 'PROXY_STOPPING' } });
    await turns(1);
    expect(ended).toEqual(['a PROXY_STOPPING']);
  });
});

describe('writes on their way', () => {
  it('are drained when those have ended that were there, whoever comes after', async () => {
    const writes = createWrites({ sleep: never });
    const first = writes.begin('catalog', 'legacy');
    const drained = writes.drain('catalog', 1_000);
    const later = writes.begin('catalog', 'legacy');
    expect([first.stage, later.stage]).toEqual(['draining', 'going']);
    first.over();
    first.over();
    await drained;
    expect([writes.onTheirWay('catalog'), later.stage]).toEqual([1, 'going']);
  });

  it('are late when their time is over, and those to the side that writes go on when nothing is held any more', async () => {
    const writes = createWrites({ sleep: async () => {} });
    const [stays, moves] = [writes.begin('catalog', 'legacy'), writes.begin('catalog', 'service')];
    await writes.drain('catalog', 1);
    expect([stays.stage, moves.stage]).toEqual(['late', 'late']);
    writes.release('catalog', 'legacy');
    expect([stays.stage, moves.stage]).toEqual(['going', 'late']);
  });
});
