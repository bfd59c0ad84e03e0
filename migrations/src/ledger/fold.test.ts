import { describe, expect, it } from '@jest/globals';
import { verification } from '../evidence/evidence.fixture.js';
import { historyOf } from './event.fixture.js';
import { foldLedger, routingStateOf, UNTOUCHED } from './fold.js';

const toCanary = [
  { from: 'legacy', to: 'syncing' },
  { kind: 'verified', from: 'syncing', to: 'syncing', verification: verification() },
  { from: 'syncing', to: 'shadow' },
  { from: 'shadow', to: 'canary', shareTo: 10 },
  { kind: 'share-changed', from: 'canary', to: 'canary', shareFrom: 10, shareTo: 50 },
] as const;
const standing = (events: Parameters<typeof historyOf>[0]) => foldLedger(historyOf(events)).get('catalog');

describe('the fold of the ledger', () => {
  it('gives phase, share and the times they began', () => {
    expect(standing(toCanary)).toMatchObject({
      phase: 'canary',
      since: '2026-11-23T11:03:00.000Z',
      share: 50,
      copiedSince: '2026-11-23T11:00:00.000Z',
      sequence: 5,
      last: { kind: 'share-changed' },
      lastVerified: { sequence: 2 },
    });
  });

  it('does not move for what was refused', () => {
    const before = standing(toCanary);
    const after = standing([...toCanary, { kind: 'refused', from: 'canary', to: 'canary', shareTo: 100 }]);
    expect(after).toEqual({ ...before, sequence: 6 });
  });

  it('moves for what was forced, and keeps the phase time when only the share was', () => {
    expect(standing([{ kind: 'forced', from: 'legacy', to: 'syncing' }])?.phase).toBe('syncing');
    expect(
      standing([...toCanary, { kind: 'forced', from: 'canary', to: 'canary', shareTo: 100 }]),
    ).toMatchObject({ since: '2026-11-23T11:03:00.000Z', share: 100 });
  });

  it('forgets the share outside canary and the copy in legacy', () => {
    const back = [...toCanary, { kind: 'rolled-back', from: 'canary', to: 'shadow', shareFrom: 50 }] as const;
    expect(standing(back)).toMatchObject({
      phase: 'shadow',
      share: null,
      copiedSince: '2026-11-23T11:00:00.000Z',
    });
    expect(
      standing([
        ...back,
        { kind: 'rolled-back', from: 'shadow', to: 'syncing' },
        { kind: 'rolled-back', from: 'syncing', to: 'legacy' },
      ]),
    ).toMatchObject({ phase: 'legacy', copiedSince: null });
  });

  it('keeps migrations apart', () => {
    const both = foldLedger(historyOf([{}, { migration: 'search' }, { from: 'syncing', to: 'shadow' }]));
    expect([both.get('catalog')?.phase, both.get('search')?.phase]).toEqual(['shadow', 'syncing']);
    expect(UNTOUCHED.phase).toBe('legacy');
  });
});

describe('the routing state', () => {
  it('is version 1 before anything happened, so that a first subscriber gets an answer', () => {
    expect(routingStateOf([])).toEqual({ version: 1, migrations: {} });
  });

  it('gets a new version with every change of a phase and with nothing else', () => {
    const versions = toCanary.map(
      (_, index) => routingStateOf(historyOf(toCanary.slice(0, index + 1))).version,
    );
    expect(versions).toEqual([2, 2, 3, 4, 4]);
  });

  it('counts rollbacks, each of which ends what pins of clients are worth', () => {
    const generations = (events: Parameters<typeof historyOf>[0]) =>
      routingStateOf(historyOf(events)).migrations['catalog']?.generation;
    const back = { kind: 'rolled-back', from: 'canary', to: 'shadow', shareFrom: 50 } as const;
    expect(generations(toCanary)).toBeUndefined();
    expect(generations([...toCanary, back])).toBe(1);
    const again = [...toCanary, back, { from: 'shadow', to: 'canary', shareTo: 10 }] as const;
    expect(generations(again)).toBe(1);
    // A smaller share is no rollback: who has moved stays.
    const smaller = {
      kind: 'share-changed',
      from: 'canary',
      to: 'canary',
      shareFrom: 50,
      shareTo: 10,
    } as const;
    expect(generations([...again, smaller, { kind: 'refused', from: 'canary', to: 'canary' }])).toBe(1);
    expect(generations([...again, back, { kind: 'rolled-back', from: 'shadow', to: 'syncing' }])).toBe(3);
  });

  it('names the phase of every migration that ever left legacy', () => {
    expect(routingStateOf(historyOf([{}, { kind: 'refused', migration: 'search' }])).migrations).toEqual({
      catalog: { phase: 'syncing', since: '2026-11-23T11:00:00.000Z' },
    });
  });
});
