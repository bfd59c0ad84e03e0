import { fencesConformance } from './fences.conformance.js';
import { openShop } from './shop.fixture.js';
import { triggerFences } from './trigger-fences.js';

fencesConformance(
  async () => {
    const shop = await openShop();
    return {
      fences: triggerFences(shop.database),
      tables: ['one', 'two'],
      begin: (as) => shop.begin(as),
      close: () => shop.close(),
    };
  },
  { refusesAppliers: true, refusal: (table, epoch) => `FENCED:${table}:${epoch}` },
);
