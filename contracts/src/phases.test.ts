import { describe, expect, it } from '@jest/globals';
import { assertTransition, isCutover, NEXT_PHASES, PHASES } from './phases.js';

describe('the phases', () => {
  it('allow one step forward and one step back, and nothing after retired', () => {
    const allowed = PHASES.flatMap((from) => NEXT_PHASES[from].map((to) => `${from} -> ${to}`));
    expect(allowed).toEqual([
      'legacy -> syncing',
      'syncing -> shadow',
      'syncing -> legacy',
      'shadow -> canary',
      'shadow -> syncing',
      'canary -> extracted',
      'canary -> shadow',
      'extracted -> retired',
      'extracted -> canary',
    ]);
  });

  it('name both ends when a transition is refused', () => {
    expect(() => assertTransition('catalog', 'legacy', 'canary')).toThrow(
      'migration "catalog" cannot go from "legacy" to "canary": allowed from "legacy" is "syncing"',
    );
    expect(() => assertTransition('catalog', 'retired', 'legacy')).toThrow(
      'allowed from "retired" is nothing',
    );
    expect(() => assertTransition('catalog', 'shadow', 'canary')).not.toThrow();
  });

  it('call exactly the two moves of writes a cutover', () => {
    const cutovers = PHASES.flatMap((from) =>
      PHASES.filter((to) => isCutover(from, to)).map((to) => `${from} -> ${to}`),
    );
    expect(cutovers).toEqual(['canary -> extracted', 'extracted -> canary']);
  });
});
