import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan, problemLine } from '@strangler/contracts';
import { ENVIRONMENT, planText } from '../plan.fixture.js';
import { unitOf } from '../transition/unit.js';
import { fencePlacesOf } from './fence-places.js';

const planWith = (table: string, group = ''): Plan => {
  const text = `${planText().replace(
    '    routes: [GET /api/search]',
    `    routes: [GET /api/search]
    data:
      from: legacy
      to: catalog
      tables:
        - { from: ${table}, to: found, key: { id: id }, columns: { title: title } }`,
  )}${group}`;
  const loaded = parsePlan(text, 'strangler.yaml', ENVIRONMENT);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan;
};
const places = (plan: Plan) => fencePlacesOf(plan, unitOf(plan, 'catalog'));

describe('the fences of a unit', () => {
  it('are those of its tables on both sides', () => {
    expect(places(planWith('word'))).toEqual([
      { database: 'legacy', side: 'legacy', tables: ['product'] },
      { database: 'catalog', side: 'service', tables: ['product'] },
    ]);
  });

  it('are those of all members of a group', () => {
    expect(places(planWith('product', 'groups: { both: [catalog, search] }\n'))).toEqual([
      { database: 'legacy', side: 'legacy', tables: ['product'] },
      { database: 'catalog', side: 'service', tables: ['found', 'product'] },
    ]);
  });

  it('cannot be had for a table that another unit moves too', () => {
    expect(() => places(planWith('product'))).toThrow(
      'table "product" of "legacy" changes sides with "catalog" and with "search"',
    );
  });
});
