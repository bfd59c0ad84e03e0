import { describe, expect, it } from '@jest/globals';
import { type Phase, PHASES } from '@strangler/contracts';
import { planOf } from '../plan.fixture.js';
import { consequenceOf, decideAdvance, decideRollback } from './move.js';

const { catalog } = planOf().migrations;
if (!catalog) throw new Error('no migration');
const advance = (phase: Phase, share: number, wish: Parameters<typeof decideAdvance>[3] = {}) =>
  decideAdvance('catalog', catalog, { phase, share }, wish);
const codeOf = (work: () => unknown): string => {
  try {
    return `nothing thrown, ${JSON.stringify(work())}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('an advance', () => {
  it.each([
    ['legacy', 0, {}, { direction: 'forward', path: ['legacy', 'syncing'], shareTo: null }],
    ['syncing', 0, {}, { direction: 'forward', path: ['syncing', 'shadow'], shareTo: null }],
    ['shadow', 0, {}, { direction: 'forward', path: ['shadow', 'canary'], shareTo: 10 }],
    ['shadow', 50, {}, { direction: 'forward', path: ['shadow', 'canary'], shareTo: 10 }],
    ['canary', 10, {}, { direction: 'share-up', path: ['canary'], shareFrom: 10, shareTo: 50 }],
    ['canary', 0, {}, { direction: 'share-up', path: ['canary'], shareFrom: 0, shareTo: 10 }],
    ['canary', 30, {}, { direction: 'share-up', path: ['canary'], shareFrom: 30, shareTo: 50 }],
    ['canary', 10, { to: 'canary' }, { direction: 'share-up', shareTo: 50 }],
    [
      'canary',
      100,
      { share: 10 },
      { direction: 'share-down', path: ['canary'], shareFrom: 100, shareTo: 10 },
    ],
    ['canary', 10, { share: 100, force: true }, { direction: 'share-up', shareTo: 100 }],
  ] as const)('from %s at %d %% with %j is one step', (phase, share, wish, move) => {
    expect(advance(phase, share, wish)).toMatchObject(move);
  });

  it.each([
    ['canary', 100, {}, 'TAKES_CUTOVER'],
    ['canary', 10, { to: 'extracted' }, 'TAKES_CUTOVER'],
    ['canary', 10, { to: 'extracted', force: true }, 'TAKES_CUTOVER'],
    ['canary', 100, { to: 'canary' }, 'ALREADY_THERE'],
    ['canary', 10, { share: 10 }, 'ALREADY_THERE'],
    ['canary', 10, { share: 100 }, 'SHARE_NOT_ALLOWED'],
    ['canary', 10, { share: 11 }, 'SHARE_NOT_ALLOWED'],
    ['canary', 10, { share: 11, force: true }, 'SHARE_NOT_ALLOWED'],
    ['shadow', 0, { share: 50 }, 'SHARE_NOT_ALLOWED'],
    ['legacy', 0, { share: 10 }, 'SHARE_OUTSIDE_CANARY'],
    ['legacy', 0, { to: 'canary' }, 'PHASE_TRANSITION_NOT_ALLOWED'],
    ['legacy', 0, { to: 'legacy' }, 'ALREADY_THERE'],
    ['shadow', 0, { to: 'syncing' }, 'ADVANCE_NOT_FORWARD'],
    ['extracted', 0, {}, 'TAKES_RETIREMENT'],
    ['retired', 0, {}, 'MIGRATION_RETIRED'],
  ] as const)('from %s at %d %% with %j is refused with %s', (phase, share, wish, code) => {
    expect(codeOf(() => advance(phase, share, wish))).toBe(code);
  });

  it('never reaches a phase in which the service is written to, from anywhere, forced or not', () => {
    for (const phase of PHASES)
      for (const to of ['extracted', 'retired'] as const)
        for (const force of [false, true])
          expect(codeOf(() => advance(phase, 100, { to, force }))).toMatch(
            /^(TAKES_CUTOVER|TAKES_RETIREMENT|MIGRATION_RETIRED|PHASE_TRANSITION_NOT_ALLOWED|ALREADY_THERE|ADVANCE_NOT_FORWARD)$/,
          );
  });
});

describe('a rollback', () => {
  it.each([
    ['canary', undefined, ['canary', 'shadow']],
    ['shadow', undefined, ['shadow', 'syncing']],
    ['syncing', undefined, ['syncing', 'legacy']],
    ['canary', 'legacy', ['canary', 'shadow', 'syncing', 'legacy']],
    ['canary', 'syncing', ['canary', 'shadow', 'syncing']],
  ] as const)('from %s to %s goes %j', (phase, to, path) => {
    expect(decideRollback('catalog', { phase, share: 50 }, to)).toMatchObject({
      direction: 'backward',
      path,
    });
  });

  it.each([
    ['legacy', undefined, 'NOTHING_TO_ROLL_BACK'],
    ['shadow', 'shadow', 'ROLLBACK_NOT_BACKWARD'],
    ['shadow', 'canary', 'ROLLBACK_NOT_BACKWARD'],
    ['extracted', undefined, 'TAKES_CUTOVER'],
    ['retired', 'canary', 'MIGRATION_RETIRED'],
  ] as const)('from %s to %s is refused with %s', (phase, to, code) => {
    expect(codeOf(() => decideRollback('catalog', { phase, share: 0 }, to))).toBe(code);
  });

  it('says beforehand whether it costs routing only or the copy', () => {
    const consequence = (to: Phase) =>
      consequenceOf(decideRollback('catalog', { phase: 'canary', share: 50 }, to));
    expect(consequence('shadow')).toMatch(/^routing only/);
    expect(consequence('syncing')).toMatch(/^routing only/);
    expect(consequence('legacy')).toMatch(/^drop of the copy/);
  });
});
